import { Terminal } from '#protocols/errors';
import { readNetwork } from './network.ts';
import type { Reporter } from './reporter.ts';
import { parseObjectName, Session } from './session.ts';
import { size } from './units.ts';

/** `sealion status BUCKET/OBJECT`: what the chain and the primary say about an object. */
export async function status(
  name: string,
  options: { readonly network: string },
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const address = parseObjectName(name);
  const session = await Session.open(await readNetwork(options.network));
  try {
    const found = await session.chain.object(address.bucketName, address.objectName, { signal });
    if (!found) throw new Terminal({ code: 'no-such-object', message: `The chain has no object ${name}.` });
    const { object, gvg } = found;
    report.line(`object ${object.id}, ${size(object.payloadSize)}, ${object.status} on chain`, {
      event: 'object',
      objectId: object.id,
      bytes: object.payloadSize,
      status: object.status,
    });
    if (gvg) {
      const part = object.redundancy === 'EC' ? 'column' : 'copy';
      const holders = gvg.secondarySpIds.map((id, index) => `${part} ${index} at sp ${id}`).join(', ');
      report.line(`virtual group ${gvg.id}: primary sp ${gvg.primarySpId}, ${holders}`, {
        event: 'group',
        gvgId: gvg.id,
        primarySpId: gvg.primarySpId,
        secondarySpIds: gvg.secondarySpIds,
      });
    }
    const sp = await session.primaryFor(address.bucketName, undefined, signal);
    const progress = await session.sp(sp).progress(address, { signal });
    const said = [progress.description, progress.error].filter(Boolean).map((text) => `"${text}"`);
    report.line(`storage provider ${sp.id} says ${said.join(': ')}`, {
      event: 'progress',
      spId: sp.id,
      ...progress,
    });
  } finally {
    session.close();
  }
}

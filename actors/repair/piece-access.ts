import { Terminal } from '#protocols/errors';
import { versionOnChain } from '#protocols/greenfield/content';
import { PRIMARY } from '#protocols/integrity/checksums';
import type { ReadRecoveryTask } from '#protocols/replication/recovery-message';
import type { Chain } from '#runtime/chain/chain';
import type { InboundFetch } from '#runtime/peers/peers';
import { type SealedContent, sealedContent } from './content.ts';

/*
 * Who may fetch which piece, by the object's group on chain: a secondary serves its own pieces to the primary and
 * the other secondaries, the primary serves a secondary's pieces to that secondary, and nobody else gets anything.
 */

/**
 * Checks a request over NATS, which names the column.
 * @throws Terminal `wrong-group`, `not-entitled`
 */
export function checkFetch(
  { gvg }: SealedContent,
  spId: number,
  { from, gvgId, redundancyIndex }: Pick<InboundFetch, 'from' | 'gvgId' | 'redundancyIndex'>,
): void {
  if (gvg.id !== gvgId) {
    throw new Terminal({
      code: 'wrong-group',
      message: `The object is sealed in group ${gvg.id}, not ${gvgId}.`,
    });
  }
  const holder = gvg.secondarySpIds[redundancyIndex];
  const isMember = from === gvg.primarySpId || gvg.secondarySpIds.includes(from);
  if (holder === spId && isMember) return;
  if (gvg.primarySpId === spId && holder === from) return;
  throw notEntitled(from);
}

/**
 * Checks a request over HTTP in the order and with the codes of today's SPs, but against the chain alone. Those recover
 * only EC objects; we also serve pieces of REPLICA objects, since only SPs that can use them request them.
 * @returns the requested column (the task names the column of the requester), and the SP that asks
 * @throws Terminal 50009 unknown object, 50031 another redundancy than the chain's, 50043 not sealed, 45209 bad
 * index, 50030 no right to ask
 */
export async function checkTask(
  task: ReadRecoveryTask,
  { chain, spId }: { readonly chain: Chain; readonly spId: number },
  signal: AbortSignal,
): Promise<{ readonly content: SealedContent; readonly column: number; readonly from: number }> {
  const { job, bucketName, objectName, redundancyIndex: repaired } = task;
  const onChain = await chain.object(bucketName, objectName, { signal });
  if (!onChain || onChain.object.id !== job.objectId) {
    throw refused('object-unknown', 50009, `there is no object ${job.objectId} of that name`);
  }
  if (onChain.object.redundancy !== task.redundancy) {
    throw refused('wrong-redundancy', 50031, `the object is ${onChain.object.redundancy}`);
  }
  if (versionOnChain(onChain, job.version).kind !== 'sealed') {
    throw refused('not-sealed', 50043, `version ${job.version} of the object is not sealed`);
  }
  const content = await sealedContent(job, chain, signal);
  const { gvg, plan } = content;
  if (repaired < PRIMARY || repaired >= plan.columnCount) {
    throw refused('wrong-index', 45209, `there is no column ${repaired}`);
  }
  const providers = await chain.storageProviders({ signal });
  const from = providers.find(({ operatorAddress }) => operatorAddress === task.signer)?.id ?? 0;
  const column = gvg.primarySpId === spId ? repaired : gvg.secondarySpIds.indexOf(spId);
  const holdsIt = repaired !== PRIMARY && gvg.secondarySpIds[repaired] === from;
  const isPrimary = from !== 0 && from === gvg.primarySpId && gvg.primarySpId !== spId;
  if (column < 0 || !(holdsIt || isPrimary)) throw notEntitled(from);
  return { content, column, from };
}

function refused(code: string, gatewayCode: number, why: string): Terminal {
  return new Terminal({ code, gatewayCode, message: `The recovery task is refused: ${why}.` });
}

function notEntitled(from: number): Terminal {
  return new Terminal({
    code: 'not-entitled',
    message: `Storage provider ${from || 'unknown'} has no right to this piece, or we do not hold it.`,
    gatewayCode: 50030,
  });
}

import { Retryable, throwIfAborted } from '../protocols/errors.ts';
import type { GlobalVirtualGroup } from '../protocols/greenfield/types.ts';
import type { Approval, JobContext } from '../protocols/job/context.ts';
import type { ApprovalAnswer } from '../runtime/peers/peers.ts';
import type { PrimaryPorts } from './ports.ts';

/** The group that takes the object: all its members have approved. */
export interface Allocation {
  readonly gvgId: number;
  readonly secondarySpIds: readonly number[];
  readonly approvals: readonly Approval[];
}

type Ports = Pick<PrimaryPorts, 'spId' | 'chain' | 'peers' | 'providers' | 'timing'>;

/**
 * GetApproval: asks the members of the bucket's groups at once, and takes the first group of which all approved
 * (design §5).
 * @param onProgress told what is waited for, in words
 * @throws Retryable `no-group` when no group can take the payload, `approvals-missing` with who refused and who
 * was silent
 */
export async function allocate(
  context: JobContext,
  ports: Ports,
  options: { readonly signal: AbortSignal; readonly onProgress: (text: string) => void },
): Promise<Allocation> {
  const groups = await candidates(context, ports, options.signal);
  const asked = [...new Set(groups.flatMap((group) => group.secondarySpIds))];
  const answers = new Map<number, ApprovalAnswer>();
  const ask = {
    job: context.id,
    primarySpId: ports.spId,
    bucketName: context.object.bucketName,
    objectName: context.object.objectName,
    payloadSize: context.object.payloadSize,
    redundancy: context.object.redundancy,
    groups: groups.map(({ id, secondarySpIds }) => ({ gvgId: id, secondarySpIds })),
  };
  const { approvalTimeoutMs: timeoutMs } = ports.timing;
  for await (const answer of ports.peers.ask(ask, { signal: options.signal, timeoutMs })) {
    answers.set(answer.spId, answer);
    options.onProgress(`approvals: ${answers.size} of ${asked.length} storage providers answered`);
    for (const group of groups) {
      const approvals = approvalsOf(group, answers);
      if (approvals) return { gvgId: group.id, secondarySpIds: group.secondarySpIds, approvals };
    }
  }
  throwIfAborted(options.signal);
  throw missing(asked, answers);
}

/** Groups with room whose members are all in service, most free stake first; failed ones only if no other is left. */
async function candidates(
  context: JobContext,
  ports: Ports,
  signal: AbortSignal,
): Promise<readonly GlobalVirtualGroup[]> {
  const { familyId, payloadSize, dataChunks, parityChunks } = context.object;
  const providers = await ports.providers(signal);
  const serving = new Set(providers.filter(({ status }) => status === 'IN_SERVICE').map(({ id }) => id));
  const usable: { group: GlobalVirtualGroup; free: number }[] = [];
  for (const group of await ports.chain.gvgsOfFamily(familyId, { signal })) {
    const whole = group.secondarySpIds.length === dataChunks + parityChunks;
    if (!whole || !group.secondarySpIds.every((id) => serving.has(id))) continue;
    const free = await ports.chain.freeCapacity(group, { signal });
    if (free >= payloadSize) usable.push({ group, free });
  }
  const fresh = usable.filter(({ group }) => !context.excludedGvgIds.includes(group.id));
  const chosen = fresh.length > 0 ? fresh : usable;
  if (chosen.length === 0) {
    throw new Retryable({
      code: 'no-group',
      message: `No virtual group of family ${familyId} has ${payloadSize} bytes free and all its members in service.`,
      advice: 'Stake more for the family on chain, or wait until its members are in service again.',
      gatewayCode: 70002,
    });
  }
  return chosen.sort((a, b) => b.free - a.free).map(({ group }) => group);
}

function approvalsOf(
  group: GlobalVirtualGroup,
  answers: ReadonlyMap<number, ApprovalAnswer>,
): readonly Approval[] | undefined {
  const approvals: Approval[] = [];
  for (const [redundancyIndex, spId] of group.secondarySpIds.entries()) {
    const answer = answers.get(spId);
    const granted = answer?.granted.some(
      (place) => place.gvgId === group.id && place.redundancyIndex === redundancyIndex,
    );
    if (!answer || !granted) return undefined;
    approvals.push({ spId, redundancyIndex, expiresAt: answer.expiresAt, message: answer.message });
  }
  return approvals;
}

function missing(asked: readonly number[], answers: ReadonlyMap<number, ApprovalAnswer>): Retryable {
  const silent = asked.filter((spId) => !answers.has(spId)).map((spId) => `sp ${spId} did not answer`);
  const refused = [...answers.values()].flatMap(({ spId, refused: reasons }) =>
    reasons.map(({ gvgId, reason }) => `sp ${spId} refused group ${gvgId}: ${reason}`),
  );
  return new Retryable({
    code: 'approvals-missing',
    message: `No virtual group has approved whole; ${[...silent, ...refused].slice(0, 12).join('; ')}.`,
    advice: 'The job is tried again by itself; look at the storage providers that are named.',
    gatewayCode: 70002,
  });
}

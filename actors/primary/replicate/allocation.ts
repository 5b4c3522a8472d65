import {
  type AskedGroup,
  type ChosenGroup,
  chooseGroup,
  type MemberAnswer,
  type Shortfall,
  shortfalls,
} from '#protocols/approval/choose-group';
import { Retryable, throwIfAborted } from '#protocols/errors';
import type { JobContext } from '#protocols/job/context';
import { usableGroups } from '#runtime/chain/usable-groups';
import type { PrimaryPorts } from '../ports.ts';

type Ports = Pick<PrimaryPorts, 'spId' | 'chain' | 'peers' | 'providers' | 'timing' | 'isBanned'>;

/** Maximum number of groups in one ask, and of members named in one failure. */
const MAX_GROUPS = 100;
const MAX_NAMED = 12;

/**
 * GetApproval: asks the members of the bucket's groups, all at once, and takes the first group in which all approved. A
 * group that failed before is chosen only if no other is complete at the end (ARCHITECTURE.md#the-two-nats-planes).
 * @param onProgress called with a line for the actor tree
 * @throws Retryable `no-group` when no group can take the payload; `approvals-missing`, which names the members that
 * refused or did not answer
 */
export async function allocate(
  context: JobContext,
  ports: Ports,
  options: { readonly signal: AbortSignal; readonly onProgress: (text: string) => void },
): Promise<ChosenGroup> {
  const { signal, onProgress } = options;
  const groups = await candidates(context, ports, signal);
  const untried = groups.filter(({ gvgId }) => !context.excludedGvgIds.includes(gvgId));
  const preferred = untried.length > 0 ? untried : groups;
  const members = new Set(groups.flatMap(({ secondarySpIds }) => secondarySpIds)).size;
  const ask = {
    job: context.id,
    primarySpId: ports.spId,
    bucketName: context.object.bucketName,
    objectName: context.object.objectName,
    payloadSize: context.object.payloadSize,
    redundancy: context.object.redundancy,
    groups,
  };
  const answers: MemberAnswer[] = [];
  for await (const answer of ports.peers.ask(ask, { signal, timeoutMs: ports.timing.approvalTimeoutMs })) {
    answers.push(answer);
    onProgress(`approvals: ${answers.length} of ${members} storage providers answered`);
    const chosen = chooseGroup(preferred, answers, Date.now());
    if (chosen) return chosen;
  }
  throwIfAborted(signal);
  const chosen = chooseGroup(groups, answers, Date.now());
  if (chosen) return chosen;
  throw approvalsMissing(shortfalls(groups, answers, Date.now()));
}

/** Groups with room for the payload and all members in service, most free stake first. */
async function candidates(
  context: JobContext,
  ports: Ports,
  signal: AbortSignal,
): Promise<readonly AskedGroup[]> {
  const { familyId, payloadSize, dataChunks, parityChunks } = context.object;
  const usable = await usableGroups(
    ports.chain,
    await ports.providers(signal),
    { familyId, members: dataChunks + parityChunks, bytes: payloadSize },
    { age: 'block', signal },
  );
  const allowed = usable.filter(({ group }) => !group.secondarySpIds.some((id) => ports.isBanned?.(id)));
  if (usable.length > 0 && allowed.length === 0) {
    throw new Retryable({
      code: 'peer-banned',
      message: `Each virtual group of family ${familyId} with room has a member that an operator has banned.`,
      advice: 'Wait until the ban ends, or end it.',
      gatewayCode: 70002,
    });
  }
  if (allowed.length > 0) {
    return allowed
      .slice(0, MAX_GROUPS)
      .map(({ group }) => ({ gvgId: group.id, secondarySpIds: group.secondarySpIds }));
  }
  throw new Retryable({
    code: 'no-group',
    message: `No virtual group of family ${familyId} has ${payloadSize} bytes free and all its members in service.`,
    advice: 'Stake more for the family on chain, or wait until its members are in service again.',
    gatewayCode: 70002,
  });
}

function approvalsMissing(lacking: readonly Shortfall[]): Retryable {
  const reasons = lacking.flatMap(({ gvgId, refused, silent }) => [
    ...refused.map(({ spId, reason }) => `sp ${spId} refused group ${gvgId}: ${reason.replace(/\.$/, '')}`),
    ...silent.map((spId) => `sp ${spId} did not answer for group ${gvgId}`),
  ]);
  const more = reasons.length > MAX_NAMED ? `, and ${reasons.length - MAX_NAMED} more` : '';
  return new Retryable({
    code: 'approvals-missing',
    message: `No virtual group was approved by all of its members: ${reasons.slice(0, MAX_NAMED).join('; ')}${more}.`,
    advice: 'The job is retried automatically; check the storage providers that the message names.',
    gatewayCode: 70002,
  });
}

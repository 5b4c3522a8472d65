import {
  type AskedGroup,
  type ChosenGroup,
  chooseGroup,
  type MemberAnswer,
  shortfalls,
} from '#protocols/approval/choose-group';
import { unwillingText } from '#protocols/approval/unwilling';
import { Retryable, throwIfAborted } from '#protocols/errors';
import type { JobContext } from '#protocols/job/context';
import type { Activity } from '#runtime/actors/types';
import { usableGroups } from '#runtime/chain/usable-groups';
import type { PrimaryPorts } from '../ports.ts';

type Ports = Pick<PrimaryPorts, 'spId' | 'chain' | 'peers' | 'providers' | 'timing' | 'isBanned'>;

/** Maximum number of groups in one ask, and of members named as awaited. */
const MAX_GROUPS = 100;
const MAX_AWAITED = 12;

/**
 * GetApproval: asks the members of the bucket's groups, all at once, and takes the first group in which all approved. A
 * group that failed before is chosen only if no other is complete at the end (ARCHITECTURE.md#the-two-nats-planes).
 * @param onProgress called with a line for the actor tree, which names those that refused and those that are awaited
 * @throws Retryable `no-group` when no group can take the payload; `approvals-missing`, which names the members that
 * refused or did not answer
 */
export async function allocate(
  context: JobContext,
  ports: Ports,
  options: { readonly signal: AbortSignal; readonly onProgress: (line: Activity) => void },
): Promise<ChosenGroup> {
  const { signal, onProgress } = options;
  const groups = await candidates(context, ports, signal);
  const untried = groups.filter(({ gvgId }) => !context.excludedGvgIds.includes(gvgId));
  const preferred = untried.length > 0 ? untried : groups;
  const ask = {
    job: context.id,
    primarySpId: ports.spId,
    bucketName: context.object.bucketName,
    objectName: context.object.objectName,
    payloadSize: context.object.payloadSize,
    redundancy: context.object.redundancy,
    groups,
    ...(context.trace !== undefined && { trace: context.trace }),
  };
  const answers: MemberAnswer[] = [];
  for await (const answer of ports.peers.ask(ask, { signal, timeoutMs: ports.timing.approvalTimeoutMs })) {
    answers.push(answer);
    onProgress(progressOf(groups, answers));
    const chosen = chooseGroup(preferred, answers, Date.now());
    if (chosen) return chosen;
  }
  throwIfAborted(signal);
  const chosen = chooseGroup(groups, answers, Date.now());
  if (chosen) return chosen;
  throw approvalsMissing(unwillingText(shortfalls(groups, answers, Date.now())));
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

function progressOf(groups: readonly AskedGroup[], answers: readonly MemberAnswer[]): Activity {
  const members = [...new Set(groups.flatMap(({ secondarySpIds }) => secondarySpIds))];
  const awaited = members.filter((id) => !answers.some(({ spId }) => spId === id));
  const refusals = shortfalls(groups, answers, Date.now()).map((group) => ({ ...group, silent: [] }));
  const refused = unwillingText(refusals);
  return {
    doing: `approvals: ${answers.length} of ${members.length} storage providers answered${refused && `; ${refused}`}`,
    ...(awaited.length > 0 && {
      waitsFor: awaited
        .slice(0, MAX_AWAITED)
        .map((id) => `sp ${id}`)
        .join(', '),
    }),
  };
}

function approvalsMissing(unwilling: string): Retryable {
  return new Retryable({
    code: 'approvals-missing',
    message: `No virtual group was approved by all of its members: ${unwilling}.`,
    advice: 'The job is retried automatically; check the storage providers that the message names.',
    gatewayCode: 70002,
  });
}

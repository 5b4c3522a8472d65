import type { Child } from 'hono/jsx';
import { isTerminal } from '#protocols/job/states';
import { size } from '../../../cli/units.ts';
import type { JobView } from '../../view/job-view.ts';
import { ActionLink } from '../actions/link.tsx';
import { StateBadge, type Tone, toneOf } from '../components/badge.tsx';
import { Time } from '../components/time.tsx';
import type { Fragments } from '../live/fragments.tsx';
import type { View } from '../view.ts';
import { Approvals } from './approvals.tsx';
import { Columns, Receipts } from './columns.tsx';
import { Actors, Events, Timeline } from './history.tsx';
import { nextStep } from './next-step.ts';

/** Everything that is known of one object's job. */
export function objectView(job: JobView, canAct: boolean): View {
  const { bucketName, objectName } = job.context.object;
  return {
    title: `${bucketName}/${objectName}`,
    isLive: true,
    body: (live) => (
      <>
        <h1>
          {bucketName}/{objectName}
        </h1>
        <div id="facts">{live.part('facts', <Facts {...job} />)}</div>
        <div id="why">{live.part('why', <Why {...job} />)}</div>
        <div id="acts">{live.part('acts', canAct && <Actions {...job} />)}</div>
        <Sections job={job} live={live} />
      </>
    ),
  };
}

function Facts({ job, context, owner }: JobView) {
  const { object, deadlineAt, state } = context;
  return (
    <p class="quiet">
      <code>{job}</code> <StateBadge state={state} /> {size(object.payloadSize)}, {object.redundancy}, of{' '}
      <code>{object.owner}</code>, created <Time at={context.createdAt} />.{' '}
      {owner && (
        <>
          Node {owner.node} works on it, for <Time at={owner.since} as="since" />.{' '}
        </>
      )}
      {!isTerminal(state) && (
        <>
          Without a seal it is rejected <Time at={deadlineAt} as="until" />.
        </>
      )}
    </p>
  );
}

/** The sentence that answers the question with which an operator comes here. */
function Why(job: JobView) {
  const { why, advice, context, nextTryAt } = job;
  return (
    <div class={`answer ${toneOfAnswer(job)}`}>
      <p>
        <strong>{why}</strong>
      </p>
      {advice !== undefined && <p>{advice}</p>}
      <p>
        Next: {nextStep(context)}{' '}
        {nextTryAt !== undefined && (
          <>
            The next try is <Time at={nextTryAt} as="until" />.
          </>
        )}
      </p>
    </div>
  );
}

/** A job that waits for somebody has a tone of its own, whatever its state. */
function toneOfAnswer({ context, columns, nextTryAt }: JobView): Tone {
  const isWaiting = nextTryAt !== undefined || columns.some(({ lastError }) => lastError);
  return isWaiting && !isTerminal(context.state) ? 'wait' : toneOf(context.state);
}

function Actions({ job, context }: JobView) {
  if (context.state === 'OBJECT_DISCONTINUED') return null;
  const isSealed = context.state === 'SEAL_OBJECT_DONE';
  return (
    <p class="acts">
      {!isSealed && <ActionLink action="retry" target={job} />}
      <ActionLink action="repair" target={job} />
      {!isSealed && <ActionLink action="reject" target={job} />}
    </p>
  );
}

function Sections({ job, live }: { readonly job: JobView; readonly live: Fragments }) {
  return (
    <>
      <Box id="columns-box" title="Columns">
        <Columns columns={job.columns} live={live} />
      </Box>
      <div class="columns">
        <Box id="timeline-box" title="States">
          <div id="timeline">{live.part('timeline', <Timeline events={job.events} />)}</div>
        </Box>
        <Box id="approvals-box" title="Approvals">
          <Approvals approvals={job.approvals} live={live} />
        </Box>
      </div>
      <Box id="receipts-box" title="Receipts">
        <Receipts columns={job.columns} live={live} />
      </Box>
      <Box id="seal-box" title="Seal">
        <div id="seal">{live.part('seal', <Seal {...job} />)}</div>
      </Box>
      <Box id="actors-box" title="Actors">
        <Actors actors={job.actors} live={live} />
      </Box>
      <Box id="events-box" title="Journal">
        <Events events={job.events} live={live} />
      </Box>
    </>
  );
}

function Box({
  id,
  title,
  children,
}: {
  readonly id: string;
  readonly title: string;
  readonly children?: Child;
}) {
  return (
    <section class="box" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

function Seal({ seal, context }: JobView) {
  if (!seal) return <p>Not signed yet.</p>;
  return (
    <p>
      Transaction <code>{seal.transactionHash}</code>
      {seal.signedAt !== undefined && (
        <>
          , signed <Time at={seal.signedAt} />
        </>
      )}
      {seal.tries > 1 && `, the last of ${seal.tries} that were signed`}.{' '}
      {context.reject && (
        <>
          A reject was signed: <code>{context.reject.hash}</code>.
        </>
      )}
    </p>
  );
}

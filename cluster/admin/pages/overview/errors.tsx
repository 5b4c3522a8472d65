import type { NodeReport } from '../../view/node-report.ts';
import { Sparkline } from '../components/chart.tsx';
import { errorsByCode } from './hour.ts';

/** Codes that are shown; the others are added up. */
const SHOWN = 10;

export function Errors({ reports }: { readonly reports: readonly NodeReport[] }) {
  const codes = errorsByCode(reports);
  const others = codes.slice(SHOWN).reduce((sum, { count }) => sum + count, 0);
  if (codes.length === 0) return <p>None.</p>;
  return (
    <>
      {codes.slice(0, SHOWN).map(({ code, count, minutes }) => (
        <div>
          <a href={`/search?q=${encodeURIComponent(code)}`}>
            <code>{code}</code>
          </a>{' '}
          <strong>{count}</strong>
          <Sparkline values={minutes} label={`${code} per minute`} />
        </div>
      ))}
      {others > 0 && <p>{others} with other codes.</p>}
    </>
  );
}

import type { Curve } from './curve.ts';
import { loadNativeCurve } from './native.ts';

/** The curve that this process uses: the native one, or noble, and then why the native one could not be loaded. */
export const { curve, fallbackCause } = await choose();

async function choose(): Promise<{ readonly curve: Curve; readonly fallbackCause?: unknown }> {
  try {
    return { curve: loadNativeCurve() };
  } catch (fallbackCause) {
    const { nobleCurve } = await import('./noble.ts');
    return { curve: nobleCurve, fallbackCause };
  }
}

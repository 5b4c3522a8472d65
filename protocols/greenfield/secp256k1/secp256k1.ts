import type { Curve } from './curve.ts';
import { loadNativeCurve } from './native.ts';
import { nobleCurve } from './noble.ts';

/** The curve that this process uses: the native one, or noble, and then why the native one could not be loaded. */
export const { curve, fallbackCause } = choose();

function choose(): { readonly curve: Curve; readonly fallbackCause?: unknown } {
  try {
    return { curve: loadNativeCurve() };
  } catch (fallbackCause) {
    return { curve: nobleCurve, fallbackCause };
  }
}

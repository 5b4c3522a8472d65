import type { IncomingMessage } from 'node:http';
import type { Identity } from './session.ts';

/** What handlers of the admin server find in their context. */
export interface AdminEnv {
  readonly Bindings: { readonly incoming: IncomingMessage };
  readonly Variables: {
    /** Who asks; absent where an address needs no token. */
    identity?: Identity;
  };
}

import type { View } from './view.ts';

/** Asks for a token. @param next the page to show then */
export function loginView({
  next,
  error,
}: {
  readonly next: string;
  readonly error?: string | undefined;
}): View {
  return {
    title: 'Log in',
    isLive: false,
    body: () => (
      <section class="box">
        <h1>Log in</h1>
        {error !== undefined && (
          <div class="answer bad" role="alert">
            <p>{error}</p>
          </div>
        )}
        <form method="post" action="/login">
          <input type="hidden" name="next" value={next} />
          <div class="fields">
            <label>
              Token
              <input name="token" type="password" required autocomplete="current-password" autofocus />
            </label>
            <label>
              Your name, for the record
              <input name="name" maxlength={64} autocomplete="username" />
            </label>
            <button type="submit" class="main">
              Log in
            </button>
          </div>
          <p class="quiet">
            The tokens are those that admin.tokens names in the configuration of the node: one to look, one to
            look and act.
          </p>
        </form>
      </section>
    ),
  };
}

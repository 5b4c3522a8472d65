/**
 * Asks the admin server of this machine whether all is well, for the health checks of containers:
 *
 *     node probe.mjs /health | /ready
 *
 * Ends with 0 when it says yes. SEALION_ADMIN is its address, http://127.0.0.1:9133 by default.
 */
const path = process.argv[2] ?? '/health';
const address = process.env.SEALION_ADMIN ?? 'http://127.0.0.1:9133';
try {
  const { status } = await fetch(new URL(path, address), { signal: AbortSignal.timeout(4_000) });
  process.exitCode = status === 200 ? 0 : 1;
} catch {
  process.exitCode = 1;
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateFiles } from '../http/certificate.ts';

/** Anything that cleans up after a test, for example ava's context. */
export interface Cleaning {
  teardown(clean: () => unknown): void;
}

/** A certificate for some host names or addresses, made by openssl, that is its own authority; in a folder of its own. */
export function selfSigned(
  cleaning: Cleaning,
  hosts: readonly string[],
): { folder: string; files: CertificateFiles } {
  const folder = mkdtempSync(join(tmpdir(), 'sealion-certificate-'));
  cleaning.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const names = hosts.map((host) => `${/^[0-9.]+$/.test(host) ? 'IP' : 'DNS'}:${host}`).join(',');
  const args = [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=test', '-addext', `subjectAltName=${names}`, '-out', files.cert, '-keyout', files.key],
  ];
  execFileSync('openssl', args, { stdio: 'ignore' });
  return { folder, files };
}

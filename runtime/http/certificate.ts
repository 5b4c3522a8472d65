import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { Terminal, toSealionError } from '#protocols/errors';
import type { Logger } from '../telemetry/logger.ts';

/** The files of a server's certificate, in PEM. */
export interface CertificateFiles {
  /** The certificate, followed by those of the intermediate authorities. */
  readonly cert: string;
  /** Its private key, without a passphrase. */
  readonly key: string;
}

/** The content of the files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Interval of checking the files, ms. */
const LOOK_EVERY_MS = 10_000;

/** Reads a certificate and its key. @throws Terminal `bad-certificate` unless they can be used together */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const certificate = await readFiles(files);
  check(certificate, files);
  return certificate;
}

/**
 * Hands over the certificate whenever the files contain a new one. The files are read periodically, which works however
 * they are replaced. A new content counts only when it has been read twice, in case the files are just being written.
 * A certificate that cannot be used is logged once and ignored.
 * @returns a function that ends it
 */
export function followCertificate(
  files: CertificateFiles,
  first: Certificate,
  use: (certificate: Certificate) => void,
  options: { readonly everyMs?: number; readonly log: Logger },
): () => void {
  const { everyMs = LOOK_EVERY_MS, log } = options;
  const stopped = new AbortController();
  void follow();
  return () => stopped.abort();

  async function follow(): Promise<void> {
    let [handled, before] = [identity(first), identity(first)];
    while (await waited(everyMs, stopped.signal)) {
      const found = await readFiles(files).catch(toSealionError);
      const now = 'cert' in found ? identity(found) : found.message;
      if (now !== handled && now === before) {
        handled = now;
        try {
          if (!('cert' in found)) throw found;
          check(found, files);
          use(found);
          log.info(describe(found, files), 'the certificate has changed: new connections get the new one');
        } catch (error) {
          log.error(
            { ...files, error },
            'the changed certificate cannot be used; the previous one remains in use',
          );
        }
      }
      before = now;
    }
  }
}

/** Log fields that describe a certificate to operators. */
export function describe({ cert }: Certificate, { cert: file }: CertificateFiles) {
  const { subjectAltName: names, validTo } = new X509Certificate(cert);
  return { file, names, validUntil: new Date(validTo).toISOString() };
}

async function readFiles(files: CertificateFiles): Promise<Certificate> {
  const read = (path: string) =>
    readFile(path, 'utf8').catch((cause: Error) => {
      throw badCertificate(`${path} cannot be read: ${cause.message}`, cause);
    });
  const [cert, key] = await Promise.all([read(files.cert), read(files.key)]);
  return { cert, key };
}

function check(certificate: Certificate, files: CertificateFiles): void {
  try {
    // A context without a certificate or key would be valid too.
    void [new X509Certificate(certificate.cert), createPrivateKey(certificate.key)];
    createSecureContext(certificate);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw badCertificate(`${files.cert} and ${files.key} are not a certificate and its key: ${why}`, cause);
  }
}

function badCertificate(fault: string, cause: unknown): Terminal {
  return new Terminal({
    code: 'bad-certificate',
    message: `The certificate cannot be used: ${fault}.`,
    advice: 'Give a certificate and its private key, both in PEM, in files that this user can read.',
    cause,
  });
}

function identity({ cert, key }: Certificate): string {
  return `${cert}\0${key}`;
}

/** Waits. @returns false when the signal fires first */
function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal, ref: false }).catch(() => false);
}

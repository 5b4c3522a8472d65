import { Terminal } from '../errors.ts';
import { checksumAddress, isAddress } from './address.ts';
import { recoverPersonalSigner } from './personal-signature.ts';
import { checkExpiry } from './request-signature.ts';
import type { Hex } from './types.ts';

/** What an account signed: that a key may sign for it in one application, until it expires. */
export interface KeyRegistration {
  /** In EIP-55 case. */
  readonly account: string;
  /** The application, as browsers name it in Origin. */
  readonly domain: string;
  /** ed25519, 32 bytes. */
  readonly publicKey: Hex;
  /** Unix ms. */
  readonly expiresAt: number;
}

/** The headers of a registration, each empty where it is missing. */
export interface RegistrationHeaders {
  readonly authorization: string;
  /** Set by the browser; what the application says of itself must be the same. */
  readonly origin: string;
  /** X-Gnfd-App-Domain. */
  readonly domain: string;
  /** X-Gnfd-App-Reg-Public-Key. */
  readonly publicKey: string;
  /** X-Gnfd-Expiry-Timestamp. */
  readonly expiry: string;
}

const SCHEME = 'GNFD1-ETH-PERSONAL_SIGN';
const MAX_DOMAIN_LENGTH = 300;

/**
 * What users see in their wallets and sign. The SDKs break lines in different places: JS keeps the account on the
 * first line, Go has empty lines between. What comes after the expiry is theirs.
 */
const WELCOME = ' wants you to sign in with your BNB Greenfield account:';
const FIELDS = [
  'Register your identity public key ',
  'URI: ',
  'Version: ',
  'Chain ID: ',
  'Issued At: ',
  'Expiration Time: ',
] as const;

/** What a text says; undefined for one of another form. Takes one pass: strangers may send a long one. */
function readText(
  text: string,
): { domain: string; account: string; publicKey: string; expiry: string } | undefined {
  const [first = '', ...rest] = text.split('\n').filter((line) => line !== '');
  const end = first.lastIndexOf(WELCOME);
  if (end < 1) return undefined;
  const account = first.slice(end + WELCOME.length) || (rest.shift() ?? '');
  const values = FIELDS.map((name, i) => (rest[i]?.startsWith(name) ? rest[i].slice(name.length) : ''));
  const [publicKey = '', , , , , expiry = ''] = values;
  if (account === '' || values.includes('')) return undefined;
  return { domain: first.slice(0, end), account, publicKey, expiry };
}

/**
 * Reads and verifies the registration of an off-chain key (protocols/greenfield/README.md#off-chain-keys): the headers must say what the
 * account signed.
 * @param now unix ms
 * @throws Terminal 50001 or 50002 for another Authorization, 50015 for a signature that is not the named account's,
 * 50017 domain, 50018 public key, 50023 expiry, 50022 another text, 50037, 50020 or 50038 when its domain, key or
 * expiry is not that of the headers
 */
export function readKeyRegistration(headers: RegistrationHeaders, now: number): KeyRegistration {
  const { text, signature } = parsePersonalSign(headers.authorization);
  const account = recoverPersonalSigner(text, signature);
  const { domain, publicKey, expiry } = headers;
  if (domain === '' || domain.length > MAX_DOMAIN_LENGTH || domain !== headers.origin) {
    throw refused(
      50017,
      `X-Gnfd-App-Domain is "${domain.slice(0, MAX_DOMAIN_LENGTH)}", which is not the Origin.`,
    );
  }
  if (!/^[0-9a-fA-F]{64}$/.test(publicKey)) {
    throw refused(50018, 'X-Gnfd-App-Reg-Public-Key is not an ed25519 key of 64 hex digits.');
  }
  const expiresAt = checkExpiry(expiry, now);
  const signed = readText(text);
  if (!signed) throw refused(50022, 'The signed text does not follow the template.');
  if (signed.domain !== domain) throw refused(50037, 'The signed text is for another domain.');
  if (signed.publicKey !== publicKey) throw refused(50020, 'The signed text is for another public key.');
  if (signed.expiry !== expiry) throw refused(50038, 'The signed text has another expiration time.');
  const named = signed.account;
  if (!isAddress(named) || checksumAddress(named) !== account) {
    throw refused(50015, `The signed text is for account ${named.slice(0, 42)}, and ${account} signed it.`);
  }
  return { account, domain, publicKey: publicKey.toLowerCase(), expiresAt };
}

/** `SignedMsg` holds the text with its line breaks written as `\n`; it can hold neither `,` nor `=`. */
function parsePersonalSign(authorization: string): { text: string; signature: string } {
  const [scheme = '', ...fields] = authorization.split(',');
  if (scheme !== SCHEME) {
    throw new Terminal({
      code: 'unsupported-authorization',
      message: 'Only a text signed by a wallet can register a key.',
      advice: `Sign with ${SCHEME}.`,
      gatewayCode: 50001,
    });
  }
  const values = new Map(fields.map((field) => field.split('=')).filter(isPair));
  const text = values.get('SignedMsg');
  const signature = values.get('Signature');
  if (fields.length === 2 && text !== undefined && signature !== undefined) {
    return { text: text.replaceAll('\\n', '\n'), signature };
  }
  throw new Terminal({
    code: 'bad-authorization',
    message: 'The Authorization header is malformed.',
    advice: `Write it as ${SCHEME},SignedMsg=<text>,Signature=0x<130 hex digits>.`,
    gatewayCode: 50002,
  });
}

function isPair(parts: readonly string[]): parts is [string, string] {
  return parts.length === 2;
}

function refused(gatewayCode: number, message: string): Terminal {
  return new Terminal({
    code: 'bad-registration',
    message,
    advice: 'Headers and signed text must name the same account, domain, key and expiration time.',
    gatewayCode,
  });
}

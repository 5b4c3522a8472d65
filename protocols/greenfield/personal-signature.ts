import { Terminal } from '../errors.ts';
import { fromHex } from './hex.ts';
import { keccak256 } from './keccak.ts';
import { recoverAddress } from './signature.ts';

/** The 32 bytes that a wallet signs when it is asked to `personal_sign` a text (EIP-191, version 0x45). */
export function personalDigest(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  return keccak256(Buffer.concat([Buffer.from(`\x19Ethereum Signed Message:\n${bytes.length}`), bytes]));
}

/**
 * The account (EIP-55) whose wallet signed a text. Any well-formed signature recovers to *some* account.
 * @param signature `0x` and 130 hex digits, r‖s‖v
 * @throws Terminal `bad-signature` (50015)
 */
export function recoverPersonalSigner(text: string, signature: string): string {
  if (!/^0x[0-9a-fA-F]{130}$/.test(signature)) {
    throw new Terminal({
      code: 'bad-signature',
      message: 'The signature of the text is malformed.',
      advice: 'Write it as 0x and 130 hex digits.',
      gatewayCode: 50015,
    });
  }
  return recoverAddress(personalDigest(text), fromHex(signature.slice(2)));
}

import { randomBytes } from 'node:crypto';
import {
  type ApprovedOffer,
  checkOwnApproval,
  checkOwnStandingApproval,
} from '#protocols/approval/own-approval';
import type { ControlBody, ControlKind } from '#protocols/control/bodies';
import type { ControlSubject } from '#protocols/control/header';
import {
  type ControlExpectation,
  type ControlMessage,
  openControl,
  sealControl,
} from '#protocols/control/message';
import { toSealionError } from '#protocols/errors';
import { toHex } from '#protocols/greenfield/hex';
import type { Hex, StorageProvider } from '#protocols/greenfield/types';
import {
  type BundleHeader,
  type Letter,
  type OpenedLetter,
  openBundle,
  sealBundle,
} from '#protocols/replication/bundle';
import { verifySealSignature } from '#protocols/sealing/seal';
import type { AccountKey } from '../../keys/keys.ts';

export interface ControlCodecOptions {
  readonly spId: number;
  readonly chainId: string;
  readonly operatorKey: AccountKey;
  readonly providers: () => Promise<readonly StorageProvider[]>;
}

/** A message to be sealed. */
export interface Draft<K extends ControlKind> {
  readonly kind: K;
  readonly to: number;
  readonly about: ControlSubject;
  /** Unix ms. */
  readonly expiresAt: number;
  readonly body: ControlBody<K>;
}

/** What a message to us must contain; the receiver is our own id unless `to` is given. */
export type Expected<K extends ControlKind> = Pick<ControlExpectation<K>, 'kinds' | 'from' | 'about'> & {
  readonly to?: number;
};

/** Signs messages to other SPs, and verifies theirs. */
export class ControlCodec {
  readonly #options: ControlCodecOptions;
  #known: readonly StorageProvider[] | undefined;

  constructor(options: ControlCodecOptions) {
    this.#options = options;
  }

  /** @throws Terminal `control-malformed` */
  async seal<K extends ControlKind>(
    draft: Draft<K>,
  ): Promise<{ readonly bytes: Uint8Array; readonly nonce: string }> {
    const { chainId, spId, operatorKey } = this.#options;
    const { kind, to, expiresAt, body } = draft;
    const { job, gvgId, redundancyIndex } = draft.about;
    const nonce = toHex(randomBytes(16));
    const about = { job, gvgId, redundancyIndex };
    const header = { ...about, kind, chainId, from: spId, to, issuedAt: Date.now(), expiresAt, nonce };
    return { bytes: await sealControl(header, body, (digest) => operatorKey.sign(digest)), nonce };
  }

  /** @throws Terminal `control-malformed` */
  async sealBundle(
    header: Pick<BundleHeader, 'to' | 'answerTo' | 'expiresAt'>,
    letters: readonly Letter[],
  ): Promise<Uint8Array> {
    const { chainId, spId, operatorKey } = this.#options;
    const nonce = toHex(randomBytes(16));
    const whole = { ...header, chainId, from: spId, issuedAt: Date.now(), nonce };
    return sealBundle(whole, letters, (digest) => operatorKey.sign(digest));
  }

  /** @throws Terminal with a code of `openBundle`; what `providers` throws */
  async openBundle(
    bytes: Uint8Array,
    from: number,
  ): Promise<BundleHeader & { readonly letters: readonly OpenedLetter[] }> {
    const { chainId, spId } = this.#options;
    const operatorAddressOf = await this.#operators();
    return openBundle(bytes, { chainId, now: Date.now(), from, to: spId, operatorAddressOf });
  }

  /**
   * Checks that the approval in an offer is our own, for the same group and index. @throws Terminal as
   * `checkOwnApproval`
   */
  checkApproval(offer: ApprovedOffer): void {
    const { chainId, operatorKey } = this.#options;
    checkOwnApproval(offer, { chainId, now: Date.now(), operatorAddress: operatorKey.address });
  }

  /** The same for a standing approval. @throws Terminal as `checkOwnStandingApproval` */
  checkStandingApproval(offer: ApprovedOffer): ReturnType<typeof checkOwnStandingApproval> {
    const { chainId, operatorKey } = this.#options;
    const check = { chainId, now: Date.now(), operatorAddress: operatorKey.address };
    return checkOwnStandingApproval(offer, check);
  }

  /**
   * True when the BLS signature in a receipt is over these checksums. The receipt names only the checksum of its
   * own column, and other content may have the same column.
   */
  async isFor(receipt: ControlMessage<'receipt'>, checksums: readonly Hex[]): Promise<boolean> {
    const sp = (await this.#providers()).find(({ id }) => id === receipt.from);
    const { gvgId, job, body } = receipt;
    const document = { chainId: this.#options.chainId, gvgId, objectId: job.objectId, checksums };
    return (
      sp !== undefined && verifySealSignature({ document, blsKey: sp.blsKey, signature: body.blsSignature })
    );
  }

  /** @throws Terminal with a code of `openControl`; what `providers` throws */
  async open<K extends ControlKind>(bytes: Uint8Array, expected: Expected<K>): Promise<ControlMessage<K>> {
    const { chainId, spId } = this.#options;
    const operatorAddressOf = await this.#operators();
    return openControl(bytes, { to: spId, ...expected, chainId, now: Date.now(), operatorAddressOf });
  }

  async #operators(): Promise<(spId: number) => string | undefined> {
    const providers = await this.#providers();
    return (id) => providers.find((sp) => sp.id === id)?.operatorAddress;
  }

  /**
   * While the chain is unreachable, the keys that it returned last are used, so that a column that is almost complete
   * can be finished. The address of an SP's operator never changes, and the chain refuses a seal with an outdated BLS
   * key.
   */
  async #providers(): Promise<readonly StorageProvider[]> {
    try {
      this.#known = await this.#options.providers();
    } catch (error) {
      if (!this.#known || toSealionError(error).kind !== 'retryable') throw error;
    }
    return this.#known;
  }
}

import { checksumAddress, isAddress } from '#protocols/greenfield/address';
import { checkBucketName, checkObjectName } from '#protocols/greenfield/names';
import { Errors, Refusal } from '../refusal.ts';

/** A parsed resource name: `grn:b::bucket`, `grn:o::bucket/object` or `grn:g:owner:group`. */
export type ResourceName =
  | { readonly type: 'BUCKET'; readonly bucketName: string }
  | { readonly type: 'OBJECT'; readonly bucketName: string; readonly objectName: string }
  | { readonly type: 'GROUP'; readonly owner: string; readonly groupName: string };

/** @param wildcards true if names with wildcards are valid @throws Refusal */
export function parseResourceName(text: string, wildcards: boolean): ResourceName {
  const form = wildcards ? /^grn:([bog]):([^:]*):([^:]*)$/ : /^grn:([bog]):([^:]*):([^:*]*)$/;
  const [, kind, account, name = ''] = form.exec(text) ?? [];
  if (kind === undefined) throw new Refusal(Errors.INVALID_GRN, `regex match error. Res: ${text}.`);
  if (kind === 'g') return groupOf(account ?? '', name);
  if (account !== '') {
    throw new Refusal(Errors.INVALID_GRN, 'Not allowed acc non-empty in bucket resource name');
  }
  if (kind === 'b') {
    if (name.includes('/')) throw new Refusal(Errors.INVALID_GRN, "Not allowed '/' in bucket resource name");
    if (!wildcards) asInvalid(`invalid bucketName: ${name}`, () => checkBucketName(name));
    return { type: 'BUCKET', bucketName: name };
  }
  const slash = name.indexOf('/');
  if (slash < 0) throw new Refusal(Errors.INVALID_GRN, `expect bucketName/object, actual ${name}`);
  const [bucketName, objectName] = [name.slice(0, slash), name.slice(slash + 1)];
  asInvalid('invalid bucketName', () => checkBucketName(bucketName));
  asInvalid('invalid objectName', () => checkObjectName(objectName));
  return { type: 'OBJECT', bucketName, objectName };
}

/** Formats a resource name as in the chain's events. */
export function resourceNameText(name: ResourceName): string {
  if (name.type === 'BUCKET') return `grn:b::${name.bucketName}`;
  if (name.type === 'OBJECT') return `grn:o::${name.bucketName}/${name.objectName}`;
  return `grn:g:${name.owner}:${name.groupName}`;
}

function groupOf(account: string, groupName: string): ResourceName {
  if (!isAddress(account)) {
    throw new Refusal(Errors.INVALID_GRN, `invalid group owner account, err : ${account}`);
  }
  return { type: 'GROUP', owner: checksumAddress(account), groupName };
}

function asInvalid(text: string, check: () => void): void {
  try {
    check();
  } catch (cause) {
    throw new Refusal(Errors.INVALID_GRN, `${text}, err: ${cause instanceof Error ? cause.message : ''}`);
  }
}

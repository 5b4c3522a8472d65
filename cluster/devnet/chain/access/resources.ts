import { Errors, Refusal } from '../refusal.ts';
import type { StateReader } from '../state-reader.ts';
import type { ResourceName } from './resource-name.ts';

/** Finds the owner and the id of a resource by its name. @throws Refusal when it does not exist */
export function resourceOf(
  state: StateReader,
  name: ResourceName,
): { readonly owner: string; readonly id: string } {
  switch (name.type) {
    case 'BUCKET': {
      const bucket = state.bucket(name.bucketName);
      if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET, `bucketName: ${name.bucketName}`);
      return bucket;
    }
    case 'OBJECT': {
      const { bucketName, objectName } = name;
      const object = state.object(bucketName, objectName);
      if (object) return object;
      throw new Refusal(Errors.NO_SUCH_OBJECT, `BucketName: ${bucketName}, objectName: ${objectName}`);
    }
    case 'GROUP': {
      const { owner, groupName } = name;
      const group = state.access.group(owner, groupName);
      if (group) return group;
      // The chain says "bucket" here.
      throw new Refusal(Errors.NO_SUCH_BUCKET, `groupOwner: ${owner}, groupName: ${groupName}`);
    }
  }
}

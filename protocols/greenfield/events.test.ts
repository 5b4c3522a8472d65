import test from 'ava';
import { abciEvent, StorageEvent } from './events.ts';

test('attributes are sorted by key and hold JSON', (t) => {
  const event = abciEvent(StorageEvent.SEAL_OBJECT, {
    operator: '0xA',
    object_id: '1',
    global_virtual_group_id: 5,
    checksums: ['AA=='],
    object_name: 'a<b',
  });
  t.deepEqual(event, {
    type: 'greenfield.storage.EventSealObject',
    attributes: [
      { key: 'checksums', value: '["AA=="]' },
      { key: 'global_virtual_group_id', value: '5' },
      { key: 'object_id', value: '"1"' },
      { key: 'object_name', value: String.raw`"a\u003cb"` },
      { key: 'operator', value: '"0xA"' },
    ],
  });
});

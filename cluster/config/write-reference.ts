/** `npm run reference`: writes cluster/deploy/configuration.md. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { configurationReference } from './reference.ts';

const FOLDER = fileURLToPath(new URL('../../../cluster/deploy/', import.meta.url));
const example = await readFile(`${FOLDER}sealion.example.yaml`, 'utf8');
await writeFile(`${FOLDER}configuration.md`, configurationReference(example));

import { writeFile } from 'node:fs/promises';
import { documents } from '../lib/docs/documents.ts';

for (const { file, text } of documents) await writeFile(new URL(`../docs/${file}`, import.meta.url), text);

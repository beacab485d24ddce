import { writeFile } from 'node:fs/promises';
import { documents } from '../lib/docs/documents.ts';
import { architectureDocument } from './architecture/document.ts';
import { readImports } from './architecture/graph.ts';

const { imports } = await readImports(['bin', 'lib', 'lambda']);
const architecture = { file: 'architecture.md', text: architectureDocument(imports) };
for (const { file, text } of [...documents, architecture]) {
  await writeFile(new URL(`../docs/${file}`, import.meta.url), text);
}

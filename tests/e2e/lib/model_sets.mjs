// A models folder with further sets in it, made of the shipped one's files.
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { models, temporaryFolder } from './box.mjs';

/**
 * The shipped set; in `other` one with the same networks and other preprocessing (one look, sampled linearly, aligned by
 * the landmarks), whose embeddings are others; in `broken` one whose feature network is another file than its manifest
 * says. The caller removes the folder.
 */
export function makeModelSets() {
  const folder = temporaryFolder();
  const manifest = JSON.parse(readFileSync(path.join(models, 'manifest.json'), 'utf8'));
  for (const name of ['', 'other', 'broken']) {
    mkdirSync(path.join(folder, name), { recursive: true });
    for (const { file } of Object.values(manifest.files))
      if (existsSync(path.join(models, file))) symlinkSync(path.resolve(models, file), path.join(folder, name, file));
  }
  cpSync(path.join(models, 'manifest.json'), path.join(folder, 'manifest.json'));
  delete manifest.files.points;
  Object.assign(manifest.preprocessing.feature, { views: 1, sampling: 'linear', second_view: 'landmarks' });
  writeFileSync(path.join(folder, 'other', 'manifest.json'), JSON.stringify({ ...manifest, id: 'other' }));
  manifest.files.feature.sha256 = manifest.files.feature.sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
  writeFileSync(path.join(folder, 'broken', 'manifest.json'), JSON.stringify({ ...manifest, id: 'broken' }));
  return folder;
}

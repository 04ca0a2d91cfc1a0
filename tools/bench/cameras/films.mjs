// Films to measure with: who is in a folder of faces, who plays, and when. 1920×1080 at 25 frames a second.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { makeFilms } from '../../../tests/e2e/lib/camera_kit_rtsp.mjs';

/** Numbers that look random and are the same for the same seed. */
function chance(seed) {
  let state = seed >>> 0;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const between = (a, b) => a + (b - a) * random();
  const shuffled = (list) => list.map((item) => [random(), item]).sort((a, b) => a[0] - b[0]).map(([, item]) => item);
  return { random, between, shuffled };
}

/**
 * People of a folder with a folder of pictures for each, as LFW has it: {enrolled, actors, strangers}: [{name, photos (files)}].
 * Enrolled ones with several pictures are the actors, seen in their second; `undefined` when there are too few.
 */
export function choosePeople(folder, count) {
  const { shuffled } = chance(1);
  const folk = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, files: readdirSync(path.join(folder, name)).filter((file) => /\.jpe?g$/i.test(file)).sort() }))
    .map(({ name, files }) => ({ name, photos: files.map((file) => path.join(folder, name, file)) }));
  const twice = shuffled(folk.filter(({ photos }) => photos.length > 1));
  const all = [...twice, ...shuffled(folk.filter(({ photos }) => photos.length === 1))];
  const people = { enrolled: all.slice(0, count), actors: twice.slice(0, count), strangers: all.slice(count) };
  return people.enrolled.length === count && people.strangers.length >= 100 ? people : undefined;
}

const face = (person) => readFileSync(person.photos[person.photos.length > 1 ? 1 : 0]);

/** Three people at a time walk through the picture for 5 s each; every fourth is behind a board for a while. */
function crowd(seconds, people, { random, between, shuffled }) {
  const known = shuffled(people.actors), unknown = shuffled(people.strangers);
  const cast = [], actors = [];
  for (let lane = 0; lane < 3; lane++) {
    for (let from = 0.5 + lane * 1.5; from + 5 < seconds - 1; from += 6) {
      const person = random() < 0.2 ? { ...unknown.pop(), name: undefined } : known.pop();
      const to = from + 5, y = 0.2 + lane * 0.3, x = between(0.15, 0.45);
      const at = random() < 0.5 ? [x, y, x + 0.35, y] : [x + 0.35, y, x, y];
      actors.push({ photo: face(person), from, to, at, height: Math.round(between(200, 330)) });
      cast.push({ name: person.name, from, to });
      if (random() < 0.25) actors.push({ width: 120, height: 340, from: from + 2, to: from + 3.5, at: [at[0] + 0.1, y, at[0] + 0.2, y] });
    }
  }
  return { cast, actors };
}

/** One at a time stands at the gate for 4 s, before a smaller one who waits behind. */
function gate(seconds, people, { random, shuffled }) {
  const known = shuffled(people.actors), unknown = shuffled(people.strangers);
  const cast = [], actors = [];
  for (let from = 0.5; from + 4 < seconds - 1; from += 5.5) {
    const person = random() < 0.2 ? { ...unknown.pop(), name: undefined } : known.pop();
    const to = from + 4;
    actors.push({ photo: readFileSync(unknown.pop().photos[0]), from, to, at: [0.85, 0.3], height: 220 });
    actors.push({ photo: face(person), from, to, at: [0.4, 0.5, 0.5, 0.5], height: 520 });
    cast.push({ name: person.name, from, to });
  }
  return { cast, actors };
}

/**
 * Makes `count` films of a kind ('crowd' or 'gate') in the folder: [{film (file), cast: [{name (undefined: a stranger), from, to}]}].
 * Nobody plays twice in a film.
 */
export async function shootFilms(folder, kind, count, { seconds, seed, people }) {
  const films = [];
  for (let i = 0; i < count; i++) {
    const { cast, actors } = (kind === 'crowd' ? crowd : gate)(seconds, people, chance(1000 * seed + 10 * i + kind.length));
    films.push({ film: path.join(folder, `${kind}${seed}-${i}.ts`), cast, actors });
  }
  await makeFilms(films.map(({ film, actors }) => [film, { width: 1920, height: 1080, seconds, actors }]));
  return films.map(({ film, cast }) => ({ film, cast }));
}

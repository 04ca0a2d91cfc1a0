// Shows what came, the newest first. Everything from outside becomes a text node, never markup.
'use strict';

const KEEP = 100;
const EVERY_MS = 2000;

const state = document.getElementById('state');
const alarm = document.getElementById('alarm');
const kind = document.getElementById('kind');
const pause = document.getElementById('pause');
const list = document.getElementById('messages');
const empty = document.getElementById('empty');

const kindNames = Object.fromEntries([...kind.options].filter((o) => o.value).map((o) => [o.value, o.text]));

let after = 0; // the newest message that was asked for
let started = 0; // of the receiver that it came from
let round = 0; // answers to a question asked before the filter changed are dropped

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function marks(message) {
  const made = [];
  if (message.duplicate === 'different') made.push(['bad', 'Different content for an event that came before']);
  if (message.duplicate === 'same') made.push(['warn', 'duplicate']);
  if (message.duplicate === 'retry') made.push(['', 'retry']);
  if (message.unreadable_pictures > 0) made.push(['bad', "a picture can't be read"]);
  if (message.answer === 0) made.push(['warn', message.kept ? 'kept, connection closed' : 'not answered']);
  else if (message.answer > 299) made.push(['warn', `answered ${message.answer}`]);
  return made.map(([level, text]) => element('span', `mark ${level}`, text));
}

function who(message) {
  const name = message.person ?? message.identity_id;
  if (name === null) return null;
  const line = element('p', 'who', name);
  if (message.person !== null && message.identity_id !== null) line.append(` (${message.identity_id})`);
  if (message.score !== null) line.append(element('span', 'score', message.score.toFixed(3)));
  return line;
}

function pictures(message) {
  const row = element('div', 'pictures');
  for (const picture of message.pictures) {
    const figure = element('figure');
    const image = element('img');
    image.src = picture.url;
    image.alt = picture.field;
    image.loading = 'lazy';
    figure.append(image, element('figcaption', '', `${picture.field}, ${Math.ceil(picture.size / 1024)} KiB`));
    row.append(figure);
  }
  return row;
}

function details(message) {
  const box = element('details');
  box.append(element('summary', '', 'message'));
  box.addEventListener('toggle', async () => {
    if (!box.open || box.querySelector('pre')) return;
    const text = element('pre', '', '…');
    box.append(text);
    try {
      const answer = await fetch(`/api/received/${message.seq}`);
      const whole = await answer.json();
      text.textContent = answer.ok ? JSON.stringify(whole.body, null, 2) : whole.message;
    } catch {
      text.textContent = 'the receiver does not answer';
    }
  });
  return box;
}

function card(message) {
  const item = element('li');
  const top = element('div', 'top');
  const facts = [message.device, message.event_id, message.note].filter((fact) => fact);
  item.classList.toggle('refused', !message.kept);
  item.classList.toggle('different', message.duplicate === 'different');
  top.append(
    element('time', '', new Date(message.received_ms).toLocaleTimeString()),
    element('span', 'kind', kindNames[message.kind] ?? message.kind),
    element('span', '', message.path),
    ...marks(message),
  );
  item.append(top);
  const line = who(message);
  if (line) item.append(line);
  if (facts.length) item.append(element('p', 'facts', facts.join(' · ')));
  if (message.pictures.length) item.append(pictures(message));
  if (message.kind !== 'malformed') item.append(details(message));
  return item;
}

function clear() {
  after = 0;
  list.replaceChildren();
}

function showCounts(counts) {
  const sum = (name) => Object.values(counts.kinds).reduce((total, one) => total + one[name], 0);
  const { duplicates, different_content: different } = counts.events;
  state.className = '';
  state.textContent = `${sum('received')} received, ${sum('kept')} kept, ${duplicates} duplicates`;
  alarm.hidden = different === 0;
  alarm.textContent = `Deliveries of an event with other content than before: ${different}`;
}

async function ask(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

async function refresh() {
  const asked = ++round;
  const filter = kind.value ? `&kind=${kind.value}` : '';
  const counts = await ask('/api/counts');
  if (counts.started_ms !== started) {
    started = counts.started_ms;
    clear();
  }
  const answer = await ask(`/api/received?bodies=0&limit=${KEEP}&after=${after}${filter}`);
  if (asked !== round || answer.started_ms !== started) return;
  after = answer.newest;
  for (const message of answer.received) list.prepend(card(message));
  while (list.children.length > KEEP) list.lastElementChild.remove();
  empty.hidden = list.children.length > 0;
  showCounts(counts);
}

async function tick() {
  if (pause.checked || document.hidden) return;
  try {
    await refresh();
  } catch {
    state.className = 'lost';
    state.textContent = 'the receiver does not answer';
  }
}

kind.addEventListener('change', () => {
  clear();
  tick();
});
pause.addEventListener('change', tick);
document.addEventListener('visibilitychange', tick);
document.getElementById('controls').addEventListener('submit', (event) => event.preventDefault());
setInterval(tick, EVERY_MS);
tick();

// Adds up what the stages of scripts/test.sh left in a folder, names what failed or was skipped, and closes with
// "N passed, N failed, N skipped". Exit code 1 when anything failed or nothing passed.
//
//   *.junit.xml  ctest: a program's cmocka cases where its output tells them, else the program as one
//   *.tap        node --test
//   *.list       lines "ok NAME", "FAIL NAME", "skip NAME"
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const folder = process.argv[2];
const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const skips = [];

const sum = (text, pattern) => [...text.matchAll(pattern)].reduce((all, match) => all + Number(match[1]), 0);

function add(passed, failed, skipped) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
}

/** A name after `marker` on each line that cmocka closes a case with; its lists at the end repeat them. */
function named(output, marker) {
  return [...new Set([...output.matchAll(marker)].map((match) => match[1]).filter((name) => !/^\d+ test/.test(name)))];
}

function addCtest(text, preset) {
  for (const [, attributes, body] of text.matchAll(/<testcase ([^>]*?)>([\s\S]*?)<\/testcase>/g)) {
    const name = `${preset}/${/name="([^"]*)"/.exec(attributes)[1]}`;
    const status = /status="([^"]*)"/.exec(attributes)[1];
    const output = /<system-out>([\s\S]*?)<\/system-out>/.exec(body)?.[1] ?? '';
    const passed = sum(output, /\[ {2}PASSED {2}\] (\d+) test/g);
    const failed = sum(output, /\[ {2}FAILED {2}\] (\d+) test/g);
    const skipped = sum(output, /\[ {2}SKIPPED \] (\d+) test/g);
    if (status === 'fail') {
      add(passed, Math.max(failed, 1), skipped);
      const cases = named(output, /\[ {2}FAILED {2}\] (.+)/g);
      failures.push(cases.length > 0 ? `${name}: ${cases.join(', ')}` : name);
    } else if (status === 'run') {
      add(passed + skipped > 0 ? passed : 1, 0, skipped);
    } else {
      add(0, 0, 1);
      skips.push(name);
    }
    skips.push(...named(output, /\[ {2}SKIPPED \] (.+)/g).map((each) => `${name}: ${each}`));
  }
}

function addTap(text, name) {
  const count = (word) => Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  const complete = /^# pass \d+$/m.test(text);
  add(count('pass'), count('fail') + count('cancelled') + (complete ? 0 : 1), count('skipped') + count('todo'));
  if (!complete) failures.push(`${name}: the run did not end`);
  for (const [, title, remark] of text.matchAll(/^ *(?:not )?ok \d+ - (.*?)(?: # (SKIP|TODO).*)?$/gm)) {
    if (remark) skips.push(`${name}: ${title}`);
  }
  // A suite fails with the tests in it, which are what counts.
  for (const [, title, details] of text.matchAll(/^ *not ok \d+ - (?!.*# TODO)(.*)$([\s\S]*?^ *\.\.\.$)/gm)) {
    if (!/^ *type: 'suite'$/m.test(details)) failures.push(`${name}: ${title}`);
  }
}

function addList(text) {
  for (const [, verdict, name] of text.matchAll(/^(ok|FAIL|skip) (.*)$/gm)) {
    add(Number(verdict === 'ok'), Number(verdict === 'FAIL'), Number(verdict === 'skip'));
    if (verdict === 'FAIL') failures.push(name);
    if (verdict === 'skip') skips.push(name);
  }
}

const readers = { '.junit.xml': addCtest, '.tap': addTap, '.list': addList };
for (const file of readdirSync(folder).sort()) {
  const ending = Object.keys(readers).find((each) => file.endsWith(each));
  if (ending) readers[ending](readFileSync(path.join(folder, file), 'utf8'), path.basename(file, ending));
}
for (const name of skips) console.log(`skipped  ${name}`);
for (const name of failures) console.log(`FAILED   ${name}`);
if (total.passed + total.failed === 0) console.log('no test was run');
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

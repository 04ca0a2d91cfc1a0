// The document that describes the API, held against an independent validator and against what the protocol promises.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { Box } from './lib/box.mjs';
import { alsoOffered, codes, contract } from './lib/contract.mjs';
import { kindOf, operationsOf } from './lib/openapi.mjs';

const require = createRequire(new URL('../package.json', import.meta.url));
const { default: Ajv2020 } = require('ajv/dist/2020.js');

let box, document, operations, Validator;

before(async () => {
  ({ Validator } = await import(require.resolve('@seriousme/openapi-schema-validator')));
  box = await Box.start();
  document = (await box.get('/openapi.json')).json;
  operations = operationsOf(document);
});
after(() => box.stop());

const offered = (method, path) => operations.find((each) => each.method === method && each.path === path);

function validatorOf(schema) {
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  ajv.addFormat('binary', true);
  return ajv.addKeyword('components').compile({ ...schema, components: document.components });
}

test('/openapi.json is OpenAPI 3.1 to an independent validator', async () => {
  assert.match(document.openapi, /^3\.1\./);
  const result = await new Validator().validate(structuredClone(document));
  assert.ok(result.valid, JSON.stringify(result.errors, null, 1));
});

test('every schema in it is one, every default and every example is valid by it', () => {
  let examples = 0;
  for (const { path, method, content } of bodies()) {
    for (const [type, { schema, example }] of Object.entries(content)) {
      const where = `${method} ${path} ${type}`;
      if (schema === undefined) continue;
      const validate = validatorOf(schema);
      for (const [name, field] of Object.entries(schema.properties ?? {}))
        if (field.default !== undefined) assert.ok(validatorOf(field)(field.default), `${where}: default of ${name}`);
      if (example === undefined) continue;
      assert.ok(validate(example), `${where}: ${JSON.stringify(validate.errors)}`);
      for (const name of Object.keys(example))
        assert.ok(schema.properties === undefined || name in schema.properties, `${where}: the example's ${name} is no field`);
      examples++;
    }
  }
  for (const { method, path, fields } of operations)
    for (const field of fields)
      if (field.place !== 'body' && field.schema.default !== undefined)
        assert.ok(validatorOf(field.schema)(field.schema.default), `${method} ${path}: default of ${field.name}`);
  const error = document.components.responses.Error.content['application/json'];
  assert.ok(validatorOf(error.schema)(error.example));
  assert.ok(examples > 10);
});

function bodies() {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { requestBody }]) => ({ path, method: method.toUpperCase(), content: requestBody?.content ?? {} })),
  );
}

test('each JSON body shows an example, each field says what it is for, each operation has one id', () => {
  const ids = operations.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)]);
  for (const { path, method, content } of bodies()) {
    const json = content['application/json'];
    if (json === undefined) continue;
    assert.notEqual(json.example, undefined, `${method} ${path} has no example`);
    for (const [name, { description }] of Object.entries(json.schema.properties ?? {}))
      assert.ok(description?.length > 5, `${method} ${path}: ${name} is not described`);
  }
});

test('all encodings of a body name the same fields', () => {
  for (const { path, method, content } of bodies()) {
    const [first, ...others] = Object.values(content).flatMap(({ schema }) => (schema?.properties === undefined ? [] : [schema]));
    for (const schema of others) {
      assert.deepEqual(Object.keys(schema.properties), Object.keys(first.properties), `${method} ${path}`);
      assert.deepEqual(schema.required, first.required, `${method} ${path}`);
    }
  }
});

test('the error codes are the documented ones', () => {
  const said = document.components.schemas.Code.enum.map(String).sort();
  assert.deepEqual(said, Object.keys(codes).sort());
});

for (const { method, path, encodings, fields } of contract) {
  test(`${method} ${path} takes what was promised`, () => {
    const operation = offered(method, path);
    assert.notEqual(operation, undefined, 'is not offered');
    for (const encoding of encodings) assert.ok(operation.encodings.includes(encoding), `takes no ${encoding}`);
    for (const [name, promised] of Object.entries(fields)) {
      const field = operation.fields.find((each) => each.name === name);
      assert.notEqual(field, undefined, `${name} is not taken`);
      compareField(name, field, promised);
    }
  });
}

function compareField(name, { schema, required, aliases, place }, promised) {
  if (promised.required !== undefined) assert.equal(required, promised.required, `${name}: required`);
  if (promised.kind !== undefined) assert.equal(kindOf(schema), place === 'path' ? 'text' : promised.kind, `${name}: kind`);
  if (promised.default !== undefined) assert.deepEqual(schema.default, promised.default, `${name}: default`);
  const range = { min: schema.minimum, max: schema.maximum, minLength: schema.minLength, maxLength: schema.maxLength };
  for (const [key, value] of Object.entries(range))
    if (promised[key] !== undefined) assert.equal(value, promised[key], `${name}: ${key}`);
  const choices = schema.enum ?? schema.oneOf?.find((each) => each.enum)?.enum ?? [];
  for (const word of promised.choices ?? []) assert.ok(choices.includes(word), `${name}: does not take ${word}`);
  for (const alias of promised.aliases ?? []) assert.ok(aliases.includes(alias), `${name}: not also taken as ${alias}`);
}

test('nothing is offered that was not promised', () => {
  const promised = new Set([...contract.map(({ method, path }) => `${method} ${path}`), ...alsoOffered.map((call) => call.join(' '))]);
  for (const { method, path } of operations)
    assert.ok(promised.has(`${method} ${path}`) || path.startsWith('/api/'), `${method} ${path} stands in no document`);
});

test('unknown paths, other methods and other content types are refused at every path', async () => {
  for (const path of new Set(operations.map((each) => each.path))) {
    const target = path.replace(/\{[^}]+\}/, 'x');
    const takes = operations.filter((each) => each.path === path).map((each) => each.method);
    const method = ['GET', 'POST', 'PUT', 'DELETE'].find((each) => !takes.includes(each)) ?? 'PATCH';
    const wrong = await box.request(method, target);
    assert.equal(wrong.json?.error.code, 40500, `${method} ${target}: ${wrong.body}`);
    for (const each of takes) assert.ok(wrong.headers.allow.split(/, */).includes(each), `${target}: Allow ${wrong.headers.allow}`);
    assert.equal((await box.get(`${target}/and/more`)).json.error.code, 40400);
    assert.equal((await box.get(target.toUpperCase())).json.error.code, 40400);
    for (const each of operations.filter((one) => one.path === path && one.encodings.length > 0)) {
      const answer = await box.request(each.method, target, { headers: { 'Content-Type': 'text/plain' }, body: 'x' });
      assert.equal(answer.json.error.code, 41591, `${each.method} ${target}: ${answer.body}`);
    }
  }
});

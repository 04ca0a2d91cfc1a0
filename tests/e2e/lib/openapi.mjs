// What a client can know of the box from /openapi.json alone: its operations, their fields, and how a request is written.
const encodingOf = {
  'application/json': 'json',
  'multipart/form-data': 'multipart',
  'application/x-www-form-urlencoded': 'urlencoded',
};
const boundary = 'aibox-e2e-boundary-7f3a';

/**
 * The operations of a document: [{id, method, path, role, fields, encodings, bodyTypes, example, whole}]. A field is {name, place (body,
 * query, path), required, schema, aliases}; `encodings` are those of the body that this file can write, `bodyTypes` all media types
 * of the body; `whole` says that the body is one JSON object of any keys.
 */
export function operationsOf(document) {
  const out = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const content = operation.requestBody?.content ?? {};
      const json = content['application/json'];
      const schema = json?.schema ?? Object.values(content).find((each) => each.schema?.properties !== undefined)?.schema;
      out.push({
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        role: operation['x-role'],
        fields: [...operation.parameters.map(parameterField), ...bodyFields(schema)],
        bodyTypes: Object.keys(content),
        encodings: Object.keys(content).flatMap((type) => encodingOf[type] ?? []),
        example: json?.example,
        whole: json !== undefined && json.schema.properties === undefined,
      });
    }
  }
  return out;
}

function parameterField({ name, in: place, required, schema, content, description = '' }) {
  return { name, place, required: Boolean(required), schema: schema ?? content['application/json'].schema, aliases: aliasesOf(description) };
}

function bodyFields(schema) {
  return Object.entries(schema?.properties ?? {}).map(([name, field]) => ({
    name,
    place: 'body',
    required: (schema.required ?? []).includes(name),
    schema: field,
    aliases: aliasesOf(field.description ?? ''),
  }));
}

function aliasesOf(description) {
  const said = /Also taken as ([^.]*(?:\.[^ .][^.]*)*)\./.exec(description);
  return said === null ? [] : said[1].split(', ');
}

/** text, picture, choice, boolean, integer, number, number|choice, texts, numbers, objects, dict or any. */
export function kindOf(schema) {
  if (schema.oneOf !== undefined) return schema.oneOf.map(kindOf).join('|');
  if (schema.enum !== undefined) return 'choice';
  if (schema.contentMediaType?.startsWith('image/')) return 'picture';
  if (schema.type === 'array') return { string: 'texts', number: 'numbers' }[schema.items?.type] ?? 'objects';
  return { string: 'text', object: 'dict' }[schema.type] ?? schema.type ?? 'any';
}

/** The value as a form or a query writes it: text as it is, everything else as JSON. */
function formText(value) {
  return typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value);
}

function percent(value) {
  if (!Buffer.isBuffer(value)) return encodeURIComponent(value);
  return [...value].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

export function urlencode(values) {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${percent(formText(value))}`)
    .join('&');
}

function multipart(values) {
  const parts = [];
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const file = Buffer.isBuffer(value) ? '; filename="file.jpg"\r\nContent-Type: image/jpeg' : '';
    parts.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`));
    parts.push(Buffer.from(formText(value)), Buffer.from('\r\n'));
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return Buffer.concat(parts);
}

/** Headers and body of `values` in one encoding. A Buffer is a file part (multipart) or bytes of a text (urlencoded). */
export function encodeBody(encoding, values) {
  switch (encoding) {
    case 'json':
      return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(values) };
    case 'multipart':
      return { headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` }, body: multipart(values) };
    case 'urlencoded':
      return { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: urlencode(values) };
    default:
      throw new Error(`no encoding is called ${encoding}`);
  }
}

/** Sends `values` to an operation: into path, query or body, each where the document says; unknown names go to the body. */
export function send(box, operation, values, encoding) {
  const placed = { path: {}, query: {}, body: {} };
  const bodyless = operation.encodings.length === 0;
  for (const [name, value] of Object.entries(values)) {
    const field = operation.fields.find((each) => each.name === name);
    placed[field?.place ?? (bodyless ? 'query' : 'body')][name] = value;
  }
  const path = operation.path.replace(/\{([^}]+)\}/g, (_, name) => percent(formText(placed.path[name])));
  const query = urlencode(placed.query);
  const target = query === '' ? path : `${path}?${query}`;
  if (bodyless) return box.request(operation.method, target);
  return box.request(operation.method, target, encodeBody(encoding, placed.body));
}

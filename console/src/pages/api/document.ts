// What this page reads of an OpenAPI 3.1 document, and the calls in it by tag.
export interface Schema {
  type?: string | string[];
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  default?: unknown;
  description?: string;
}

interface Parameter {
  name: string;
  in: 'query' | 'path' | 'header';
  required?: boolean;
  description?: string;
  schema: Schema;
}

interface RawOperation {
  tags?: string[];
  summary?: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema; example?: unknown }> };
}

export interface Document {
  paths: Record<string, Record<string, RawOperation>>;
}

export interface Field {
  name: string;
  place: 'query' | 'path' | 'body';
  required: boolean;
  description: string;
  schema: Schema;
}

export interface Operation {
  method: string;
  path: string;
  tag: string;
  summary: string;
  fields: Field[];
  /** A JSON body to begin with; undefined: the call takes none. */
  example: unknown;
  /** It takes a file instead of JSON. */
  takesFile: boolean;
}

const methods = ['get', 'post', 'put', 'delete'];

function operationOf(path: string, method: string, raw: RawOperation): Operation {
  const json = raw.requestBody?.content['application/json'];
  const parameters = (raw.parameters ?? [])
    .filter((parameter) => parameter.in !== 'header')
    .map<Field>(({ name, in: place, required, description, schema }) => ({ name, place: place === 'path' ? 'path' : 'query', required: required ?? false, description: description ?? '', schema }));
  const body = Object.entries(json?.schema.properties ?? {}).map<Field>(([name, schema]) => ({
    name,
    place: 'body',
    required: json?.schema.required?.includes(name) ?? false,
    description: schema.description ?? '',
    schema,
  }));
  return {
    method: method.toUpperCase(),
    path,
    tag: raw.tags?.[0] ?? '',
    summary: raw.summary ?? '',
    fields: [...parameters, ...body],
    example: json ? (json.example ?? {}) : undefined,
    takesFile: raw.requestBody !== undefined && json === undefined,
  };
}

/** In the order of the document. */
export function groupsOf(document: Document): { tag: string; operations: Operation[] }[] {
  const groups = new Map<string, Operation[]>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of methods) {
      const raw = operations[method];
      if (!raw) continue;
      const operation = operationOf(path, method, raw);
      groups.set(operation.tag, [...(groups.get(operation.tag) ?? []), operation]);
    }
  }
  return [...groups].map(([tag, operations]) => ({ tag, operations }));
}

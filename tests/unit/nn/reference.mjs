// Computes what the networks must give, for tests/unit/nn/test_nn_models.c:
//
//   node reference.mjs [MODELS-FOLDER [OUT-FOLDER]]     (or AIBOX_MODELS and AIBOX_NN_REFERENCE)
//
// The ONNX models run in onnxruntime-node, an implementation that shares nothing with ours; the age and gender
// network is computed here, number by number. Each model gets two inputs, noise and a smooth picture, prepared as
// the model set's manifest says. Exit code 77: onnxruntime-node or the models are not there.
//
// One file per model and input, little-endian: "NNR1"; u32 count and floats of the input (rows, columns, channels);
// u32 number of outputs; for each u32 length and bytes of its name, u32 count and floats (NHWC where ONNX has NCHW).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const require = createRequire(path.join(here, '../../package.json'));
const models = process.argv[2] ?? process.env.AIBOX_MODELS ?? path.join(here, '../../../build/models');
const out = process.argv[3] ?? process.env.AIBOX_NN_REFERENCE;

function skip(why) {
  console.log(`reference: ${why}`);
  process.exit(77);
}

if (!out) skip('no folder to write to');
if (!existsSync(path.join(models, 'manifest.json'))) skip(`no models in ${models}`);
let ort;
try {
  ort = require('onnxruntime-node');
} catch {
  skip('onnxruntime-node is not installed (tests/package.json)');
}

const manifest = JSON.parse(readFileSync(path.join(models, 'manifest.json'), 'utf8'));
const preprocessing = {
  age_gender: { mean: [122.782, 117.001, 104.298], divisor: 255 },
  ...manifest.preprocessing,
};

// What the detector's heads are called inside the graph; they are checked besides its own outputs.
const heads = ['319', '333', '365', '379', '405', '419', '437', '449'];
const networks = [
  { file: 'fr_detect', from: 'detect', c: 3, h: 240, w: 320, extra: heads },
  { file: 'fr_landmark', from: 'landmark', c: 1, h: 64, w: 64 },
  { file: 'fr_feature', from: 'feature', c: 3, h: 112, w: 112 },
  { file: 'fr_liveness', from: 'liveness', c: 3, h: 128, w: 128 },
  { file: 'fr_pose', from: 'pose', c: 3, h: 224, w: 224 },
  { file: 'fr_eye', from: 'eye', c: 1, h: 24, w: 24 },
  { file: 'fr_age', from: 'age', c: 3, h: 64, w: 64 },
  { file: 'fr_gender', from: 'gender', c: 3, h: 64, w: 64 },
  { file: 'fr_expression', from: 'expression', c: 3, h: 224, w: 224 },
];

/** A small generator of numbers 0..1, the same everywhere (mulberry32). */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Pixels 0..255 of h × w × c: noise, or an oval on a gradient with two dark spots. */
function picture(kind, h, w, c) {
  const random = generator(h * 1000 + w);
  const pixels = new Float32Array(h * w * c);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const u = x / w - 0.5;
      const v = y / h - 0.5;
      const oval = 1 / (1 + Math.exp(40 * (Math.hypot(u / 0.35, v / 0.45) - 1)));
      const eyes = Math.exp(-400 * ((Math.abs(u) - 0.13) ** 2 + (v + 0.1) ** 2));
      for (let k = 0; k < c; k++) {
        const smooth = 60 + 50 * (u - v) + oval * (110 - 25 * k) - eyes * 120;
        pixels[(y * w + x) * c + k] = kind === 'noise' ? random() * 255 : Math.min(255, Math.max(0, smooth));
      }
    }
  }
  return pixels;
}

/** (pixel − mean) / divisor with the manifest's numbers, one for all channels or one for each; else −1..1. */
function prepared(pixels, c, how = { mean: 127.5, divisor: 127.5 }) {
  const of = (value, k) => (Array.isArray(value) ? value[k] : value);
  return pixels.map((value, i) => (value - of(how.mean ?? 0, i % c)) / of(how.divisor ?? 1, i % c));
}

function toNchw(data, h, w, c) {
  const result = new Float32Array(data.length);
  for (let p = 0; p < h * w; p++) for (let k = 0; k < c; k++) result[k * h * w + p] = data[p * c + k];
  return result;
}

function toNhwc(data, dims) {
  if (dims.length !== 4) return data;
  const [, c, h, w] = dims;
  const result = new Float32Array(data.length);
  for (let p = 0; p < h * w; p++) for (let k = 0; k < c; k++) result[p * c + k] = data[k * h * w + p];
  return result;
}

function write(name, input, outputs) {
  const u32 = (value) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const floats = (data) => [u32(data.length), Buffer.from(Float32Array.from(data).buffer)];
  const parts = [Buffer.from('NNR1'), ...floats(input), u32(outputs.length)];
  for (const [label, data] of outputs) parts.push(u32(label.length), Buffer.from(label), ...floats(data));
  writeFileSync(path.join(out, `${name}.ref`), Buffer.concat(parts));
}

/** The model with further outputs: a protobuf message continues where another of its kind is appended. */
function withOutputs(bytes, names) {
  const field = (number, content) => {
    if (content.length > 127) throw new Error('a message that is too long');
    return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
  };
  // ModelProto.graph = 7, GraphProto.output = 12, ValueInfoProto.name = 1
  const graphs = names.map((name) => field(7, field(12, field(1, Buffer.from(name)))));
  return Buffer.concat([bytes, ...graphs]);
}

async function onnxModel({ file, from, c, h, w, extra = [] }) {
  const name = path.join(models, `${file}.onnx`);
  if (!existsSync(name)) return false;
  const session = await ort.InferenceSession.create(withOutputs(readFileSync(name), extra), { logSeverityLevel: 3 });
  for (const kind of ['noise', 'smooth']) {
    const input = prepared(picture(kind, h, w, c), c, preprocessing[from]);
    const tensor = new ort.Tensor('float32', toNchw(input, h, w, c), [1, c, h, w]);
    const results = await session.run({ [session.inputNames[0]]: tensor });
    const outputs = session.outputNames.map((label) => [label, toNhwc(results[label].data, results[label].dims)]);
    write(`${file}.${kind}`, input, outputs);
  }
  return true;
}

// --- the age and gender network, as its authors describe it, without any library ---

/** Tensors of a TensorFlow.js manifest, as { shape, data }. */
function tfjsTensors(manifestFile, weightsFile) {
  const bytes = readFileSync(weightsFile);
  const tensors = new Map();
  let offset = 0;
  for (const group of JSON.parse(readFileSync(manifestFile, 'utf8'))) {
    for (const { name, shape, quantization } of group.weights) {
      const data = new Float64Array(shape.reduce((product, side) => product * side, 1));
      for (let i = 0; i < data.length; i++) {
        data[i] = quantization ? bytes[offset + i] * quantization.scale + quantization.min : bytes.readFloatLE(offset + 4 * i);
      }
      offset += data.length * (quantization ? 1 : 4);
      tensors.set(name, { shape, data });
    }
  }
  return tensors;
}

/** Visits the window of every output place of a "SAME" padded layer: visit(outIndex, y, x, windowIndex). */
function slide({ h, w }, kernel, stride, visit) {
  const oh = Math.ceil(h / stride);
  const ow = Math.ceil(w / stride);
  const top = Math.floor(Math.max(0, (oh - 1) * stride + kernel - h) / 2);
  const left = Math.floor(Math.max(0, (ow - 1) * stride + kernel - w) / 2);
  for (let oy = 0; oy < oh; oy++) {
    for (let ox = 0; ox < ow; ox++) {
      for (let ky = 0; ky < kernel; ky++) {
        for (let kx = 0; kx < kernel; kx++) {
          const y = oy * stride + ky - top;
          const x = ox * stride + kx - left;
          if (y >= 0 && y < h && x >= 0 && x < w) visit(oy * ow + ox, y * w + x, ky * kernel + kx);
        }
      }
    }
  }
  return { h: oh, w: ow };
}

function ageGender(tensors, input) {
  const get = (name) => tensors.get(name);
  const make = (h, w, c) => ({ h, w, c, data: new Float64Array(h * w * c) });
  const relu = (x) => ({ ...x, data: x.data.map((value) => Math.max(0, value)) });
  const add = (x, y) => ({ ...x, data: x.data.map((value, i) => value + y.data[i]) });

  const conv = (x, filters, bias, stride) => {
    const [kernel, , , out] = filters.shape;
    const y = make(Math.ceil(x.h / stride), Math.ceil(x.w / stride), out);
    slide(x, kernel, stride, (to, from, at) => {
      for (let i = 0; i < x.c; i++) {
        const value = x.data[from * x.c + i];
        for (let o = 0; o < out; o++) y.data[to * out + o] += value * filters.data[(at * x.c + i) * out + o];
      }
    });
    for (let i = 0; i < y.data.length; i++) y.data[i] += bias.data[i % out];
    return y;
  };
  const separable = (x, name) => {
    const filter = get(`${name}/depthwise_filter`).data;
    const y = make(x.h, x.w, x.c);
    slide(x, 3, 1, (to, from, at) => {
      for (let i = 0; i < x.c; i++) y.data[to * x.c + i] += x.data[from * x.c + i] * filter[at * x.c + i];
    });
    return conv(y, get(`${name}/pointwise_filter`), get(`${name}/bias`), 1);
  };
  const maxPool = (x) => {
    const y = make(Math.ceil(x.h / 2), Math.ceil(x.w / 2), x.c);
    y.data.fill(-Infinity);
    slide(x, 3, 2, (to, from) => {
      for (let i = 0; i < x.c; i++) y.data[to * x.c + i] = Math.max(y.data[to * x.c + i], x.data[from * x.c + i]);
    });
    return y;
  };
  const reduction = (x, name, activate) => {
    let y = separable(activate ? relu(x) : x, `${name}/separable_conv0`);
    y = maxPool(separable(relu(y), `${name}/separable_conv1`));
    return add(y, conv(x, get(`${name}/expansion_conv/filters`), get(`${name}/expansion_conv/bias`), 2));
  };
  const main = (x, name) => {
    let y = x;
    for (let i = 0; i < 3; i++) y = separable(relu(y), `${name}/separable_conv${i}`);
    return add(y, x);
  };
  const dense = (x, name) => {
    const { data, shape } = get(`${name}/weights`);
    const y = Array.from(get(`${name}/bias`).data);
    for (let i = 0; i < shape[0]; i++) for (let o = 0; o < shape[1]; o++) y[o] += x[i] * data[i * shape[1] + o];
    return y;
  };

  let x = { h: 112, w: 112, c: 3, data: Float64Array.from(input) };
  x = relu(conv(x, get('entry_flow/conv_in/filters'), get('entry_flow/conv_in/bias'), 2));
  x = reduction(x, 'entry_flow/reduction_block_0', false);
  x = reduction(x, 'entry_flow/reduction_block_1', true);
  x = main(main(x, 'middle_flow/main_block_0'), 'middle_flow/main_block_1');
  x = reduction(x, 'exit_flow/reduction_block', true);
  x = relu(separable(x, 'exit_flow/separable_conv'));
  const pooled = new Float64Array(x.c);
  x.data.forEach((value, i) => (pooled[i % x.c] += value / (x.h * x.w)));
  const sex = dense(pooled, 'fc/gender');
  const male = 1 / (1 + Math.exp(sex[1] - sex[0]));
  return [
    ['age', dense(pooled, 'fc/age')],
    ['sex', sex],
    ['probability', [male, 1 - male]],
  ];
}

function ageGenderModel() {
  const manifestFile = path.join(models, 'age_gender_model-weights_manifest.json');
  const weightsFile = path.join(models, 'age_gender_model.bin');
  if (!existsSync(manifestFile) || !existsSync(weightsFile)) return false;
  const tensors = tfjsTensors(manifestFile, weightsFile);
  for (const kind of ['noise', 'smooth']) {
    const input = prepared(picture(kind, 112, 112, 3), 3, preprocessing.age_gender);
    write(`age_gender.${kind}`, input, ageGender(tensors, input));
  }
  return true;
}

mkdirSync(out, { recursive: true });
let done = ageGenderModel() ? 1 : 0;
for (const network of networks) done += (await onnxModel(network)) ? 1 : 0;
console.log(`reference: ${done} models`);

import { makeModel, makeNode, makeValueInfo } from '../src/core/onnx/builders.ts'
import { decodeModel, encodeModel } from '../src/core/onnx/model-file.ts'
import { inspectModel } from '../src/core/onnx/inspect.ts'
import { validateModel } from '../src/core/onnx/validate.ts'
import { makeTensor } from '../src/core/onnx/tensor-values.ts'
const T = (l: string, f: () => any) => { const t = performance.now(); let r; try { r = f() } catch (e: any) { r = e.code + ' ' + e.message?.slice(0, 100) } ; console.log(l, (performance.now() - t).toFixed(0) + 'ms', 'rss', (process.memoryUsage().rss / 1e6).toFixed(0) + 'MB', typeof r === 'string' ? r : ''); return r }
{
  const init = Array.from({ length: 20 }, (_, i) => makeTensor('w' + i, 'float32', [1600, 1600], new Float32Array(1600 * 1600).fill(0.5)))
  const m = makeModel({ nodes: init.map((w, i) => makeNode('MatMul', ['t' + i, w.name], ['t' + (i + 1)])), inputs: [makeValueInfo('t0', 'float32', ['N', 1600])], outputs: [makeValueInfo('t20', 'float32', ['N', 1600])], initializers: init })
  const bytes = T('encode 205MB', () => encodeModel(m))
  const d = T('decode 205MB', () => decodeModel(bytes, 'big'))
  T('validate', () => validateModel(d)); const r = T('inspect', () => inspectModel(d, 1, 'x')); console.log(r.macs, r.parameters)
}
{
  const nodes = Array.from({ length: 200000 }, (_, i) => makeNode('Add', ['t' + i, 't' + Math.max(0, i - 1)], ['t' + (i + 1)], {}, { name: 'n' + i }))
  const m = makeModel({ nodes, inputs: [makeValueInfo('t0', 'float32', ['N', 16])], outputs: [makeValueInfo('t200000', 'float32', ['N', 16])] })
  const bytes = T('encode 200k', () => encodeModel(m)); const d = T('decode 200k', () => decodeModel(bytes, 'big')); T('validate', () => validateModel(d)); T('inspect', () => inspectModel(d, 1, 'x'))
}
// hostile: 2M attributes under the limit
{
  const varint = (v: number): number[] => (v < 128 ? [v] : [(v & 127) | 128, ...varint(Math.floor(v / 128))])
  const field = (n: number, body: Uint8Array) => { const h = [...varint(n * 8 + 2), ...varint(body.length)]; const b = new Uint8Array(h.length + body.length); b.set(h); b.set(body, h.length); return b }
  const file = (g: Uint8Array) => { const b = field(7, g); const o = new Uint8Array(b.length + 2); o.set([8, 8]); o.set(b, 2); return o }
  const attrs = new Uint8Array(2 * 1_990_000); for (let i = 0; i < attrs.length; i += 2) attrs[i] = 0x2a
  const a = file(field(1, attrs)); let d = T('decode 1.99M attributes (4MB)', () => decodeModel(a, 'x')); T('validate', () => validateModel(d)); d = null
  const dims = new Uint8Array(8_300_000).fill(1); const b = file(field(5, field(1, dims))); d = T('8.3M dims', () => decodeModel(b, 'x')); T('validate', () => validateModel(d)); d = null
  const ints = new Uint8Array(130_000_000).fill(1); const c = file(field(5, field(5, ints))); d = T('130M int32_data (130MB)', () => decodeModel(c, 'x')); T('validate', () => validateModel(d)); d = null
  const strs = new Uint8Array(2 * 3_900_000); for (let i = 0; i < strs.length; i += 2) strs[i] = 0x32
  const s = file(field(5, strs)); d = T('3.9M strings', () => decodeModel(s, 'x')); T('validate', () => validateModel(d)); d = null
  const unk = new Uint8Array(2 * 3_900_000); for (let i = 0; i < unk.length; i += 2) unk[i] = 0x7a
  const u = file(unk); d = T('3.9M unknown', () => decodeModel(u, 'x')); T('validate', () => validateModel(d))
}

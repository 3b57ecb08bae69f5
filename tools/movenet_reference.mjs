// Runs a TensorFlow.js graph model on raw RGB pictures of one size:
//     node movenet_reference.mjs MODEL.json HEIGHT WIDTH PICTURES.u8 OUTPUTS.f32
// Needs @tensorflow/tfjs-core, -converter and -backend-wasm, version 4, in the working folder.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "package.json"));
const tf = require("@tensorflow/tfjs-core");
const { loadGraphModel } = require("@tensorflow/tfjs-converter");
require("@tensorflow/tfjs-backend-wasm");

const [file, height, width, source, target] = process.argv.slice(2);
const { modelTopology, format, signature, weightsManifest } = JSON.parse(fs.readFileSync(file));
const weightSpecs = weightsManifest.flatMap((group) => group.weights);
const weightData = Uint8Array.from(fs.readFileSync(file.replace(/json$/, "bin"))).buffer;
await tf.setBackend("wasm");
const model = await loadGraphModel({
  load: async () => ({ modelTopology, format, signature, weightSpecs, weightData }),
});
const pixels = fs.readFileSync(source);
const size = height * width * 3;
const outputs = [];
for (let start = 0; start < pixels.length; start += size) {
  const picture = Int32Array.from(pixels.subarray(start, start + size));
  const input = tf.tensor4d(picture, [1, +height, +width, 3], "int32");
  const output = await model.executeAsync(input);
  outputs.push(Buffer.from(Float32Array.from(await output.data()).buffer));
  tf.dispose([input, output]);
}
fs.writeFileSync(target, Buffer.concat(outputs));

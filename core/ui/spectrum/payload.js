// What Python sends: a JSON header, then arrays that it points into ({"$": [offset, length, kind]}).

const HALF = typeof Float16Array === "undefined" ? null : Float16Array;

/** Header and arrays of a payload; arrays sit where the header points. */
function unpack(bytes) {
  const own = bytes.slice();
  const size = new DataView(own.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(own.subarray(4, 4 + size)));
  const start = 4 + size;
  return resolve(header, own.buffer, start);
}

function resolve(value, buffer, start) {
  if (Array.isArray(value)) return value.map((v) => resolve(v, buffer, start));
  if (value === null || typeof value !== "object") return value;
  if (value.$) return arrayAt(buffer, start + value.$[0], value.$[1], value.$[2]);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolve(v, buffer, start)]));
}

function arrayAt(buffer, offset, length, kind) {
  if (kind === "u1") return new Uint8ClampedArray(buffer, offset, length);
  if (kind === "f4") return new Float32Array(buffer, offset, length);
  return Float32Array.from(HALF ? new HALF(buffer, offset, length) : halves(new Uint16Array(buffer, offset, length)));
}

/** IEEE half floats, for browsers that do not know them. */
function halves(bits) {
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const sign = bits[i] & 0x8000 ? -1 : 1, exponent = (bits[i] >> 10) & 31, fraction = bits[i] & 1023;
    if (exponent === 31) out[i] = fraction ? NaN : sign * Infinity;
    else out[i] = sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
  }
  return out;
}

/** A spectrum as sent is over its scale; this one is in 1e-17 erg/s/cm2/A, ``good`` without masked pixels, ``smooth`` kept by width. */
function inUnits(sent) {
  if (!sent) return null;
  const flux = sent.flux.map((v) => v * sent.scale), sigma = sent.sigma.map((v) => v * sent.scale);
  return { flux, sigma, good: flux.map((v, i) => (Number.isFinite(sigma[i]) ? v : NaN)), range: covered(sigma), smooth: [] };
}

// Points by WebGL: two numbers for a place, two bytes for a look. Colours come from a table, shapes from a distance.

// How wide a mark's border is, dark about light marks and light about dark ones: it stands out from any galaxy below.
const HALO = 0.13;

const VERTEX = `#version 300 es
in vec2 place; in vec2 look; in float caught;
uniform vec4 view; uniform float size; uniform float dim; uniform float opacity; uniform sampler2D colours;
out vec4 colour; flat out int shape; flat out float soft; flat out float halo;
void main() {
  shape = int(look.y + .5);
  float pixels = size * (caught > .5 && dim < 1. ? 1.15 : 1.);
  gl_Position = shape > 200 ? vec4(3., 3., 3., 1.) : vec4(place * view.xy + view.zw, 0., 1.);
  gl_PointSize = pixels;
  soft = 1.4 / pixels;
  halo = look.x > 250.5 ? ${HALO} : 0.;
  colour = vec4(texelFetch(colours, ivec2(int(look.x + .5), 0), 0).rgb, caught > .5 || dim >= 1. ? opacity : dim * opacity);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec4 colour; flat in int shape; flat in float soft; flat in float halo; out vec4 paint;
float plus(vec2 q) { q = abs(q); return min(max(q.x - .3, q.y - .95), max(q.y - .3, q.x - .95)); }
float distance_to(vec2 q) {
  vec2 a = abs(q);
  if (shape == 1) return a.x + a.y - .95;
  if (shape == 2) return max(a.x, a.y) - .78;
  if (shape == 3) return max(a.x * .866 + q.y * .5, -q.y) - .48;
  if (shape == 4) return plus(q);
  if (shape == 5) return length(q) - mix(.42, 1., pow(abs(cos(atan(q.x, q.y) * 2.5)), 2.));
  if (shape == 6) return max(a.x * .866 + a.y * .5, a.y) - .82;
  if (shape == 7) return plus(mat2(.707, .707, -.707, .707) * q);
  if (shape == 8) return abs(length(q) - .74) - .15;
  if (shape == 9) return abs(max(a.x, a.y) - .7) - .14;
  if (shape == 10) return abs(a.x + a.y - .82) - .16;
  return length(q) - .88;
}
void main() {
  vec2 q = (gl_PointCoord * 2. - 1.) * vec2(1., -1.);
  float away = distance_to(q), covered = smoothstep(soft, -soft, away) * colour.a;
  float around = halo > 0. ? max(covered, smoothstep(soft, -soft, away - halo)) : covered;
  if (around < .004) discard;
  float border = dot(colour.rgb, vec3(.3, .6, .1)) > .45 ? 0. : 1.;
  paint = vec4(colour.rgb * covered + border * (around - covered), around);
}`;

const RASTER_VERTEX = `#version 300 es
in vec2 corner; uniform vec4 view; uniform vec4 frame; out vec2 at;
void main() {
  at = corner;
  gl_Position = vec4(mix(frame.xz, frame.yw, corner) * view.xy + view.zw, 0., 1.);
}`;

const RASTER_FRAGMENT = `#version 300 es
precision highp float;
in vec2 at; uniform sampler2D raster; uniform float dim; out vec4 paint;
void main() { paint = texture(raster, at) * dim; }`;

/** Paints points on a canvas; null where the browser has no WebGL 2. */
class Painter {
  static on(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true });
    return gl ? new Painter(gl) : null;
  }

  constructor(gl) {
    this.gl = gl;
    this.program = linked(gl, VERTEX, FRAGMENT);
    this.where = Object.fromEntries(["view", "size", "dim", "opacity", "colours"].map((name) => [name, gl.getUniformLocation(this.program, name)]));
    this.cloud = new Points(gl, this.program);
    this.marks = new Points(gl, this.program);
    this.raster = new Raster(gl);
    this.texture = gl.createTexture();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  /** 256 colours, three bytes each. */
  setColours(bytes) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB8, 256, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, bytes);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
  }

  /** ``frame``: of the density that is painted below the points; null for none. */
  paint(view, size, opacity, dim, markSize, frame) {
    const { gl, where } = this, ratio = window.devicePixelRatio || 1;
    gl.viewport(0, 0, gl.canvas.width, gl.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (frame) this.raster.draw(view, frame, Math.sqrt(dim));
    gl.useProgram(this.program);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.uniform4fv(where.view, view);
    gl.uniform1f(where.size, size * ratio);
    gl.uniform1f(where.opacity, opacity);
    gl.uniform1f(where.dim, dim);
    this.cloud.draw();
    gl.uniform1f(where.size, markSize * ratio);
    gl.uniform1f(where.opacity, 1);
    gl.uniform1f(where.dim, 1);
    this.marks.draw();
  }

  destroy() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

/** Buffers of one set of points, drawn in an order of their own. */
class Points {
  constructor(gl, program) {
    this.gl = gl;
    this.count = 0;
    this.array = gl.createVertexArray();
    this.order = gl.createBuffer();
    gl.bindVertexArray(this.array);
    this.buffers = { place: this.attribute(program, "place", 2, gl.FLOAT), look: this.attribute(program, "look", 2, gl.UNSIGNED_BYTE), caught: this.attribute(program, "caught", 1, gl.UNSIGNED_BYTE) };
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    gl.bindVertexArray(null);
  }

  attribute(program, name, width, type) {
    const { gl } = this, buffer = gl.createBuffer(), slot = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(slot);
    gl.vertexAttribPointer(slot, width, type, false, 0, 0);
    return buffer;
  }

  set(name, values) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
  }

  setOrder(rows) {
    const { gl } = this;
    gl.bindVertexArray(this.array);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, rows, gl.STATIC_DRAW);
    gl.bindVertexArray(null);
    this.count = rows.length;
  }

  draw() {
    if (!this.count) return;
    this.gl.bindVertexArray(this.array);
    this.gl.drawElements(this.gl.POINTS, this.count, this.gl.UNSIGNED_INT, 0);
    this.gl.bindVertexArray(null);
  }
}

/** A square picture over the frame of the map: its colours already multiplied by how much they cover, lowest row first. */
class Raster {
  constructor(gl) {
    this.gl = gl;
    this.program = linked(gl, RASTER_VERTEX, RASTER_FRAGMENT);
    this.where = Object.fromEntries(["view", "frame", "dim"].map((name) => [name, gl.getUniformLocation(this.program, name)]));
    this.texture = gl.createTexture();
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
    const slot = gl.getAttribLocation(this.program, "corner");
    gl.enableVertexAttribArray(slot);
    gl.vertexAttribPointer(slot, 2, gl.FLOAT, false, 0, 0);
    gl.bindVertexArray(null);
  }

  /** Four bytes a cell. */
  set(bytes) {
    const { gl } = this, side = Math.sqrt(bytes.length / 4);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, side, side, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
    for (const end of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, end, gl.LINEAR);
    for (const axis of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, axis, gl.CLAMP_TO_EDGE);
  }

  draw(view, frame, dim) {
    const { gl, where } = this;
    gl.useProgram(this.program);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.uniform4fv(where.view, view);
    gl.uniform4fv(where.frame, frame);
    gl.uniform1f(where.dim, dim);
    gl.bindVertexArray(this.array);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.bindVertexArray(null);
  }
}

function linked(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return program;
}

// loadVerifier makes the verifier of evidence out of the bytes of eml_evidence.wasm, in a browser or in Node.
//
//   const verifier = await loadVerifier(bytes);
//   const { status, answer } = verifier.verify({ kind: "tdx", evidence: base64, time: "2026-06-01T12:00:00Z" });
//
// Request, answer and status are those of abi/ephemeralml_evidence.h. The module gets no file, no socket, no clock (it
// is always 1970) and no environment; only a line that it writes before it ends in a trap reaches the console.

const OK = 0;
const BADF = 8; // no such file descriptor: there is none but the console

// What OpenSSL's and the C library's file functions would call. Nothing of ours does, and nothing is there.
const REFUSED = ["fd_close", "fd_fdstat_get", "fd_fdstat_set_flags", "fd_filestat_get", "fd_prestat_get",
  "fd_prestat_dir_name", "fd_read", "fd_readdir", "fd_seek", "path_filestat_get", "path_open"];

// All of WASI preview 1 that the module imports.
function wasiImports(memory) {
  const bytes = (pointer, size) => new Uint8Array(memory().buffer, pointer, size);
  const zero = (pointer, size) => {
    bytes(pointer, size).fill(0);
    return OK;
  };
  return {
    ...Object.fromEntries(REFUSED.map((name) => [name, () => BADF])),
    clock_time_get: (_id, _precision, out) => zero(out, 8),
    environ_sizes_get: (count, size) => zero(count, 4) || zero(size, 4),
    environ_get: () => OK,
    random_get(pointer, size) {
      crypto.getRandomValues(bytes(pointer, size));
      return OK;
    },
    fd_write(fd, vectors, count, written) {
      if (fd !== 2) return BADF;
      const view = new DataView(memory().buffer);
      let total = 0;
      for (let i = 0; i < count; ++i) {
        const size = view.getUint32(vectors + 8 * i + 4, true);
        console.error(new TextDecoder().decode(bytes(view.getUint32(vectors + 8 * i, true), size)));
        total += size;
      }
      view.setUint32(written, total, true);
      return OK;
    },
    proc_exit(status) {
      throw new Error(`the verifier ended itself (${status})`);
    },
  };
}

export async function loadVerifier(bytes) {
  let exports;
  const imports = { wasi_snapshot_preview1: wasiImports(() => exports.memory) };
  const { instance } = await WebAssembly.instantiate(bytes, imports);
  exports = instance.exports;
  exports._initialize();
  return { verify: (request) => verify(exports, new TextEncoder().encode(JSON.stringify(request))) };
}

// A memory that grew has a new buffer: views are made after each call into the module.
function verify(exports, request) {
  const input = exports.eml_alloc(request.length);
  const room = exports.eml_alloc(8); // for the answer's pointer and size
  if (input === 0 || room === 0) throw new Error("no memory for the request");
  try {
    new Uint8Array(exports.memory.buffer, input, request.length).set(request);
    const status = exports.eml_evidence_verify(input, request.length, room, room + 4);
    const view = new DataView(exports.memory.buffer);
    const pointer = view.getUint32(room, true);
    if (pointer === 0) throw new Error("no memory for the answer");
    const bytes = new Uint8Array(exports.memory.buffer, pointer, view.getUint32(room + 4, true));
    const text = new TextDecoder().decode(bytes);
    exports.eml_free(pointer);
    return { status, answer: JSON.parse(text), text };
  } finally {
    exports.eml_free(room);
    exports.eml_free(input);
  }
}

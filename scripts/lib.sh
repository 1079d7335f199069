# Shared by the scripts here: where things are kept, and what they say.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache="${PERILUNE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/perilune}"
# Outside the checkout, so that a fresh clone builds on what an older one compiled.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"
[ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
# Where the C compiler is a program of another name, as in conda's environments, it links too; and a GDAL that the system's loader does not
# know is found again where it was linked.
if ! command -v cc >/dev/null && [ -n "${CC:-}" ]; then
    triple=$(rustc -vV 2>/dev/null | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
    [ -n "$triple" ] && export "CARGO_TARGET_${triple}_LINKER=$CC"
fi
gdal_folder=$(pkg-config --variable=libdir gdal 2>/dev/null || true)
loaded() { { ldconfig -p 2>/dev/null || /sbin/ldconfig -p; } | sed -n 's/.*=> \(.*\)\/libgdal\.so.*/\1/p' | xargs -r realpath; }
if compgen -G "$gdal_folder/libgdal.so*" >/dev/null && ! loaded | grep -qxF "$(realpath "$gdal_folder")"; then
    export RUSTFLAGS="${RUSTFLAGS:-} -C link-arg=-Wl,-rpath,$gdal_folder"
fi

say() { printf '\n== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
# The shared libraries that models are computed and trained with; `$1` is perilune. Where they are there nothing is fetched.
libraries() { for library in onnxruntime torch; do "$1" setup "$library" || return 1; done; }

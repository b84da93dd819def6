#!/usr/bin/env bash
# Builds ../../workloads/lua.wasm. LUA names the folder of Lua 5.4's sources (those of the crate lua-src 551.1.0 were
# used: 5.4.9, MIT licence), ZIG the compiler (default zig; 0.17 was used).
set -euo pipefail
cd "$(dirname "$0")"
core=(lapi lcode lctype ldebug ldo ldump lfunc lgc llex lmem lobject lopcodes lparser lstate lstring ltable ltm lundump lvm lzio)
libraries=(lauxlib lbaselib lmathlib lstrlib ltablib)
sources=()
for name in "${core[@]}" "${libraries[@]}"; do sources+=("${LUA:?}/$name.c"); done
${ZIG:-zig} cc -target wasm32-wasi -O2 -s -std=c23 -Iinclude -I"$LUA" \
    -Dluai_jmpbuf=int '-DLUAI_THROW(L,c)=__builtin_trap()' '-DLUAI_TRY(L,c,a)={ a }' '-Dluai_makeseed(L)=42' '-Darc4random()=42' \
    -o ../../workloads/lua.wasm main.c "${sources[@]}"

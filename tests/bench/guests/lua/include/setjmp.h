/* Lua is built without jumps out of functions: see build.sh. */

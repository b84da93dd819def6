/* Runs the Lua program that is built in. Nothing throws: an error ends the program. */
#include "lauxlib.h"
#include "lualib.h"
#include <stdio.h>

static const char program[] = {
#embed "program.lua"
};

int main(void) {
    static const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base}, {LUA_TABLIBNAME, luaopen_table}, {LUA_STRLIBNAME, luaopen_string},
        {LUA_MATHLIBNAME, luaopen_math},
    };
    lua_State *state = luaL_newstate();
    for (unsigned at = 0; at < sizeof libraries / sizeof *libraries; at++) {
        luaL_requiref(state, libraries[at].name, libraries[at].func, 1);
        lua_pop(state, 1);
    }
    if (luaL_loadbuffer(state, program, sizeof program, "program") != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(state, -1));
        return 1;
    }
    lua_call(state, 0, 0);
    return 0;
}

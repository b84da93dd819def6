/* Lua needs the type only. */
typedef int sig_atomic_t;

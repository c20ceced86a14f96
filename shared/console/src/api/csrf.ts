/* The token that a write by our cookie needs. In memory only: a new page asks for its session and gets it anew. */
export const csrf: { token: string | null } = { token: null };

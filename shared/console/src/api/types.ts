/* What the API answers, as far as the shell needs it. */

export interface Page<T> {
	readonly data: readonly T[];
	readonly page: { readonly next: string | null; readonly has_more: boolean };
}

/** GET /console/config.json: what core knows about the console. */
export interface ConsoleConfig {
	/** Origin of the sandbox, such as "https://sandbox.example.org"; null: there is none for this console. */
	readonly sandbox: string | null;
}

/** GET /v1/session/methods */
export interface SignInMethods {
	readonly password: boolean;
	/** An identity provider: `start` is where the browser goes, with ?return_to=. */
	readonly oidc: { readonly name: string; readonly start: string } | null;
}

/** GET /v1/session */
export interface Session {
	readonly id: string;
	readonly principal: string;
	readonly name: string;
	readonly display_name: string | null;
	readonly email: string | null;
	readonly roles: readonly string[];
	readonly method: string;
	readonly created_at: string;
	readonly last_seen_at: string;
	readonly idle_seconds: number;
	readonly expires_at: string;
	readonly csrf_token: string;
}

/** GET /v1/me; the last members are missing while the database is away. */
export interface Me {
	readonly principal: string;
	readonly name: string;
	readonly roles: readonly string[];
	/** "people.read", "*.read" */
	readonly rights: readonly string[];
	readonly classes: { readonly read: readonly string[]; readonly write: readonly string[] };
	readonly scopes: readonly string[] | null;
	readonly display_name?: string | null;
	readonly email?: string | null;
	readonly kind?: string | null;
	readonly teams?: readonly { readonly id: string; readonly slug: string; readonly name: string; readonly is_lead: boolean }[];
}

/** One of GET /v1/sessions */
export interface SessionRow {
	readonly id: string;
	readonly principal: string;
	readonly name: string;
	readonly method: string;
	readonly address: string;
	readonly agent: string;
	readonly created_at: string;
	readonly last_seen_at: string;
	readonly expires_at: string;
	readonly current: boolean;
}

/** One of GET /v1/notices */
export interface Notice {
	readonly id: string;
	readonly kind: string;
	/** Something is to be done, until `done_at`. */
	readonly task: boolean;
	readonly title: string;
	readonly body: string;
	/** Place in the console, such as "/changes/…". */
	readonly link: string;
	readonly record: string;
	readonly at: string;
	readonly read_at: string | null;
	readonly done_at: string | null;
}

export interface Notices extends Page<Notice> {
	readonly counts: { readonly unread: number; readonly open: number };
}

/** GET /readyz */
export interface Ready {
	readonly status: string;
	readonly instance: string;
}

/** One of GET /v1/changes */
export interface ChangeRow {
	readonly id: string;
	readonly number: number;
	readonly kind: string;
	readonly state: string;
	readonly title: string;
	readonly author: string;
	readonly updated_at: string;
}

/** One of GET /v1/flags */
export interface FlagRow {
	readonly key: string;
	readonly kind: string;
	readonly purpose: string;
	readonly enabled: boolean;
	readonly expired: boolean;
	readonly expires_at: string | null;
}

/** GET /v1/drift */
export interface Drift {
	readonly frozen: boolean;
	readonly lines: readonly unknown[];
	readonly checked_at: string | null;
}

/** GET /v1/feed of the sandbox */
export interface SandboxFeed {
	readonly as_of: string | null;
	readonly lag_ms: number | null;
	readonly resyncing: boolean | null;
}

/** One of GET /v1/features of the sandbox */
export interface HypothesisRow {
	readonly slug: string;
	readonly title: string;
	readonly state: string;
	readonly deployed: boolean;
	readonly expires_at: string;
	readonly verdict: string | null;
}

/** GET /v1/search */
export interface SearchResults {
	readonly results: readonly { readonly resource: string; readonly data: readonly Readonly<Record<string, unknown>>[] }[];
}

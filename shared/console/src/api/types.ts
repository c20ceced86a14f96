/* Bodies of the API by the names that the shell has for them; what they hold is said by the documents of the daemons (client.ts). */
import type { CoreSchemas, SandboxSchemas } from "./client";

type Core = CoreSchemas["schemas"];
type Sandbox = SandboxSchemas["schemas"];

/** A part of a list, whatever it lists. */
export interface Page<T> {
	readonly data: readonly T[];
	readonly page: Readonly<Core["Page"]>;
}

/** GET /console/config.json, which is a file to the API: what core knows about the console. */
export interface ConsoleConfig {
	/** Origin of the sandbox, such as "https://sandbox.example.org"; null: there is none for this console. */
	readonly sandbox: string | null;
}

/** GET /v1/session */
export type Session = Readonly<Core["Session"]>;

/** GET /v1/me; the last members are missing while the database is away. */
export type Me = Readonly<Core["Me"]>;

/** One of GET /v1/sessions */
export type SessionRow = Readonly<Core["SessionShown"]>;

/** One of GET /v1/notices */
export type Notice = Readonly<Core["Notice"]>;
export type Notices = Readonly<Core["NoticePage"]>;

/** GET /readyz */
export type Ready = Readonly<Core["Readiness"]>;

/** One of GET /v1/changes */
export type ChangeRow = Readonly<Core["ChangeSummary"]>;

/** One of GET /v1/flags */
export type FlagRow = Readonly<Core["FlagSummary"]>;

/** GET /v1/drift */
export type Drift = Readonly<Core["Drift"]>;

/** GET /v1/feed of the sandbox */
export type SandboxFeed = Readonly<Sandbox["Feed"]>;

/** One of GET /v1/features of the sandbox */
export type HypothesisRow = Readonly<Sandbox["FeatureSummary"]>;

/** GET /v1/search */
export type SearchResults = Readonly<Core["SearchResults"]>;

/** What GET /v1/live tells. */
export type LiveEvent = Readonly<Core["LiveEvent"]>;

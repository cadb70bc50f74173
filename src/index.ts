export { type ApiKeys, createApiKeys, type ScopeKnownTo, type ScopeOf } from './api-keys.ts'
export { bearer, type Found, header, pair, type Source, type SourceOptions } from './credential/sources.ts'
export { type HmacOptions, hmac } from './hash/hmac.ts'
export { sha256 } from './hash/sha256.ts'
export type { RateHeaders } from './http/rate-headers.ts'
export type { PrefixOption } from './key/prefix.ts'
export type {
  By,
  CreateBy,
  CreateInput,
  CreditBy,
  CreditsInput,
  ListOptions,
  RevokeAllOptions,
  RevokeOptions,
  RotateOptions,
  UpdateBy,
  UpdatePatch,
} from './manage/arguments.ts'
export type { Created } from './manage/create.ts'
export type { Whom } from './manage/credit.ts'
export type { Page } from './manage/list.ts'
export type { Usage } from './manage/usage.ts'
export type { Answer, AnswerChange, AnswerOverrides } from './model/answer.ts'
export type { Awaitable } from './model/awaitable.ts'
export type { Clock } from './model/clock.ts'
export type { Demand, DemandLimits, Reserve, ScopeDemand } from './model/demand.ts'
export type { Duration } from './model/duration.ts'
export { type ErrorCode, type Issue, KeywardError, type KeywardErrorDetails } from './model/errors.ts'
export type {
  AdmittedEvent,
  BulkRevokedEvent,
  ChangeEvent,
  ChangeType,
  CreditEvent,
  DeniedEvent,
  FaultEvent,
  KeyEvent,
} from './model/event.ts'
export type { Hasher } from './model/hasher.ts'
export type {
  Json,
  JsonInput,
  KeyRecord,
  Metadata,
  MetadataInput,
  PreviousSecret,
  Refill,
  Status,
  StoredCredits,
  StoredKey,
  StoredLimit,
} from './model/key.ts'
export type { FreeWindow, Limits, ShownLimits, Window, WindowName } from './model/limits.ts'
export type { BareCredential, Credential, RequestFacts } from './model/request.ts'
export type {
  CreditAccount,
  CreditMove,
  CreditSpend,
  Filter,
  KeyStore,
  Lease,
  LeaseSpend,
  ListPage,
  ListQuery,
  MeterReading,
  Moved,
  Note,
  NotesKept,
  NotesPage,
  NotesQuery,
  Spend,
  SpendWindow,
  Taken,
  UseMark,
} from './model/store.ts'
export type { Access, Admitted, DenialCode, Denied, Reading, Settled, Verdict } from './model/verdict.ts'
export type { ApiKeysOptions, ScopeVocabulary } from './options.ts'
export type { CreditMode } from './policy/credits.ts'
export { memoryStore } from './storage/memory.ts'
export type { Explainable, Explanation, Step } from './verify/explain.ts'
export type { Gate, GateCode } from './verify/gatekeeper.ts'

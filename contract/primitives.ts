import { type TSchema, Type } from '@sinclair/typebox';

/** The type of the values that a schema describes, for those who render them. */
export type { Static as ShapeOf } from '@sinclair/typebox';

export const ObjectId = Type.String({ pattern: '^[a-f0-9]{24}$' });
export const ClusterName = Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9-]*$' });
/** UTC to the second, as Atlas prints it; RFC 3339, or a Go client fails to decode the whole answer. */
export const Time = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$' });
export const CloudProvider = Type.Union([Type.Literal('AWS'), Type.Literal('AZURE'), Type.Literal('GCP')]);

/** Of a union of upper-case words in a request: callers may write them in any case. */
export const anyCase = { anyCase: true } as const;

/** Text of a caller for which Atlas names no length. */
export const Words = Type.String({ maxLength: 1024 });

/** A closed answer: tests refuse a field that the contract does not know. */
export const closed = { additionalProperties: false } as const;

export const Link = Type.Object({ href: Type.String(), rel: Type.String() }, closed);
export const Links = Type.Array(Link);

/**
 * The wrapper of every list. `totalCount` is absent when the caller said includeCount=false; `status` is there with
 * envelope=true.
 */
export function Paginated<Item extends TSchema>(item: Item) {
  return Type.Object(
    {
      links: Links,
      results: Type.Array(item),
      totalCount: Type.Optional(Type.Integer({ minimum: 0 })),
      status: Type.Optional(Type.Integer()),
    },
    closed,
  );
}

export const ApiError = Type.Object(
  {
    detail: Type.String(),
    error: Type.Integer(),
    errorCode: Type.String(),
    parameters: Type.Optional(Type.Union([Type.Array(Type.Union([Type.String(), Type.Integer()])), Type.Null()])),
    reason: Type.String(),
    badRequestDetail: Type.Optional(
      Type.Object(
        { fields: Type.Array(Type.Object({ description: Type.String(), field: Type.String() }, closed)) },
        closed,
      ),
    ),
  },
  closed,
);

/** `time` is beside the documented fields in every recorded answer. */
export const BsonTimestamp = Type.Object(
  {
    date: Type.Union([Time, Type.Null()]),
    increment: Type.Union([Type.Integer(), Type.Null()]),
    time: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
  },
  closed,
);

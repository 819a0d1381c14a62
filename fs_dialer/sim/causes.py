"""Hangup causes as FreeSWITCH spells, numbers and derives them.

Knows the table of causes (SWITCH_CAUSE_* in switch_types.h, whose numbers up to 127 are ITU-T Q.850), which cause a SIP status becomes on an
outbound leg (measured) and how the switch reads a cause that somebody typed. Knows nothing of what an outcome means to a dialer: core/hangup.py.
"""

from __future__ import annotations

from typing import Final

CAUSES: Final[dict[str, int]] = {
    "NONE": 0, "UNALLOCATED_NUMBER": 1, "NO_ROUTE_TRANSIT_NET": 2, "NO_ROUTE_DESTINATION": 3, "CHANNEL_UNACCEPTABLE": 6,
    "CALL_AWARDED_DELIVERED": 7, "NORMAL_CLEARING": 16, "USER_BUSY": 17, "NO_USER_RESPONSE": 18, "NO_ANSWER": 19,
    "SUBSCRIBER_ABSENT": 20, "CALL_REJECTED": 21, "NUMBER_CHANGED": 22, "REDIRECTION_TO_NEW_DESTINATION": 23,
    "EXCHANGE_ROUTING_ERROR": 25, "DESTINATION_OUT_OF_ORDER": 27, "INVALID_NUMBER_FORMAT": 28, "FACILITY_REJECTED": 29,
    "RESPONSE_TO_STATUS_ENQUIRY": 30, "NORMAL_UNSPECIFIED": 31, "NORMAL_CIRCUIT_CONGESTION": 34, "NETWORK_OUT_OF_ORDER": 38,
    "NORMAL_TEMPORARY_FAILURE": 41, "SWITCH_CONGESTION": 42, "ACCESS_INFO_DISCARDED": 43, "REQUESTED_CHAN_UNAVAIL": 44, "PRE_EMPTED": 45,
    "FACILITY_NOT_SUBSCRIBED": 50, "OUTGOING_CALL_BARRED": 52, "INCOMING_CALL_BARRED": 54, "BEARERCAPABILITY_NOTAUTH": 57,
    "BEARERCAPABILITY_NOTAVAIL": 58, "SERVICE_UNAVAILABLE": 63, "BEARERCAPABILITY_NOTIMPL": 65, "CHAN_NOT_IMPLEMENTED": 66,
    "FACILITY_NOT_IMPLEMENTED": 69, "SERVICE_NOT_IMPLEMENTED": 79, "INVALID_CALL_REFERENCE": 81, "INCOMPATIBLE_DESTINATION": 88,
    "INVALID_MSG_UNSPECIFIED": 95, "MANDATORY_IE_MISSING": 96, "MESSAGE_TYPE_NONEXIST": 97, "WRONG_MESSAGE": 98, "IE_NONEXIST": 99,
    "INVALID_IE_CONTENTS": 100, "WRONG_CALL_STATE": 101, "RECOVERY_ON_TIMER_EXPIRE": 102, "MANDATORY_IE_LENGTH_ERROR": 103,
    "PROTOCOL_ERROR": 111, "INTERWORKING": 127, "SUCCESS": 142, "ORIGINATOR_CANCEL": 487, "CRASH": 700, "SYSTEM_SHUTDOWN": 701,
    "LOSE_RACE": 702, "MANAGER_REQUEST": 703, "BLIND_TRANSFER": 800, "ATTENDED_TRANSFER": 801, "ALLOTTED_TIMEOUT": 802,
    "USER_CHALLENGE": 803, "MEDIA_TIMEOUT": 804, "PICKED_OFF": 805, "USER_NOT_REGISTERED": 806, "PROGRESS_TIMEOUT": 807,
    "INVALID_GATEWAY": 808, "GATEWAY_DOWN": 809, "INVALID_URL": 810, "INVALID_PROFILE": 811, "NO_PICKUP": 812, "SRTP_READ_ERROR": 813,
    "BOWOUT": 814, "BUSY_EVERYWHERE": 815, "DECLINE": 816, "DOES_NOT_EXIST_ANYWHERE": 817, "NOT_ACCEPTABLE": 818, "UNWANTED": 819,
    "NO_IDENTITY": 820, "BAD_IDENTITY_INFO": 821, "UNSUPPORTED_CERTIFICATE": 822, "INVALID_IDENTITY": 823, "STALE_DATE": 824,
    "REJECT_ALL": 825,
}
_NAMES: Final = {number: name for name, number in CAUSES.items()}

_SIP_CAUSES: Final[dict[int, str]] = {
    400: "NORMAL_TEMPORARY_FAILURE", 401: "CALL_REJECTED", 402: "CALL_REJECTED", 403: "CALL_REJECTED", 404: "UNALLOCATED_NUMBER",
    405: "SERVICE_UNAVAILABLE", 406: "SERVICE_NOT_IMPLEMENTED", 407: "CALL_REJECTED", 408: "RECOVERY_ON_TIMER_EXPIRE",
    410: "NUMBER_CHANGED", 413: "INTERWORKING", 414: "INTERWORKING", 415: "SERVICE_NOT_IMPLEMENTED", 416: "INTERWORKING",
    420: "INTERWORKING", 421: "INTERWORKING", 423: "INTERWORKING", 480: "NO_USER_RESPONSE", 481: "NORMAL_TEMPORARY_FAILURE",
    482: "EXCHANGE_ROUTING_ERROR", 483: "EXCHANGE_ROUTING_ERROR", 484: "INVALID_NUMBER_FORMAT", 485: "NO_ROUTE_DESTINATION",
    486: "USER_BUSY", 487: "ORIGINATOR_CANCEL", 488: "INCOMPATIBLE_DESTINATION", 500: "NORMAL_TEMPORARY_FAILURE",
    501: "SERVICE_NOT_IMPLEMENTED", 502: "NETWORK_OUT_OF_ORDER", 503: "NORMAL_TEMPORARY_FAILURE", 504: "RECOVERY_ON_TIMER_EXPIRE",
    505: "INTERWORKING", 513: "INTERWORKING", 600: "USER_BUSY", 603: "CALL_REJECTED", 604: "NO_ROUTE_DESTINATION",
    606: "INCOMPATIBLE_DESTINATION",
}
_PHRASES: Final[dict[int, str]] = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 407: "Proxy Authentication Required",
    408: "Request Timeout", 410: "Gone", 480: "Temporarily Unavailable", 484: "Address Incomplete", 486: "Busy Here", 487: "Request Terminated",
    488: "Not Acceptable Here", 500: "Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout", 600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
}


def cause_of_status(status: int, reason_q850: int | None = None) -> str:
    """The cause that a final SIP response >= 300 becomes. A Reason header's Q.850 number wins over the status, as in the switch."""
    if reason_q850 is not None and reason_q850 in _NAMES:
        return _NAMES[reason_q850]
    return _SIP_CAUSES.get(status, "NORMAL_UNSPECIFIED")


def phrase_of_status(status: int) -> str:
    """What carriers write after the number; free text on the wire."""
    return _PHRASES.get(status, "Unknown")


def q850_of(cause: str) -> int:
    """variable_hangup_cause_q850: causes beyond Q.850's own numbers count as normal clearing (switch_channel_cause_q850)."""
    number = CAUSES[cause]
    return number if number <= 127 else 16


def read_cause(text: str) -> str:
    """A cause as uuid_kill reads it: a name in any case, or a number; anything else silently becomes NORMAL_CLEARING (freeswitch.md 23)."""
    if text.isdecimal():
        return _NAMES.get(int(text), "NORMAL_CLEARING")
    name = text.upper()
    return name if name in CAUSES else "NORMAL_CLEARING"

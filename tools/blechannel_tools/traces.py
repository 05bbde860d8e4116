"""What the simulated watch feels: a few minutes of a heart, made up, a beat rate for each second, and what comes in."""

from __future__ import annotations

from gatt_profiles.alert_notification import Category

_RISE = (64, 66, 69, 74, 80, 87, 94, 101, 107, 112, 117, 121, 125, 128, 131, 133, 135, 136, 138, 139)
_RUN = (140, 141, 141, 143, 144, 144, 145, 147, 148, 148, 149, 151, 150, 152, 151, 153, 152, 152, 151, 150)
_FALL = (147, 143, 138, 132, 127, 121, 116, 111, 107, 103, 99, 96, 93, 90, 88, 86, 84, 82, 81, 79)
_REST = (78, 76, 75, 74, 72, 71, 70, 69, 68, 68, 67, 66, 66, 65, 65, 64, 64, 64, 63, 63)
_STILL = (62, 62, 63, 61, 62, 61, 60, 61, 62, 60, 61, 60, 62, 63, 62, 61, 62, 61, 62, 63)

HEART_RATES_BPM = (*_STILL, *_RISE, *_RUN, *_FALL, *_REST)
"""Replayed again and again."""

ALERTS = (
    (Category.MESSAGE, "Ada: on my way"),
    (Category.EMAIL, "Invoice 2041"),
    (Category.CALL, "Grace"),
    (Category.MISSED_CALL, "Grace"),
    (Category.SCHEDULE, "Dentist, 15:00"),
    (Category.INSTANT_MESSAGE, "Edsger: thanks"),
)
"""One at a time, in an order that the seed chooses."""

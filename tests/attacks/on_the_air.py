"""What `capture check` finds of each attack of this suite in the captures of the two hosts, with their key logs.

Notes count where the attack leaves nothing else: whoever is in between and fails looks like a wrong code.
"""

from __future__ import annotations

from typing import Final

from blechannel_capture.findings import Kind

ALTERED, CONVERSATION, REFUSED, CUT_OFF = Kind.ALTERED, Kind.CONVERSATION, Kind.REFUSED, Kind.CUT_OFF

SHOWS: Final[dict[str, set[Kind]]] = {
    "test_downgrade::test_each_field_ends_it": {Kind.DOWNGRADE, REFUSED, CUT_OFF, Kind.NOT_RECOGNISED},
    "test_downgrade::test_hiding_the_hybrid_suite_does_not_lead_to_a_classical_bond": {Kind.DOWNGRADE},
    "test_eviction::test_an_abandoned_pairing_leaves_the_old_bond": {CUT_OFF},
    "test_eviction::test_a_refusal_in_the_watchs_name": {Kind.NOT_RECOGNISED, REFUSED, CUT_OFF},
    "test_eviction::test_a_full_watch_keeps_the_bonds_that_it_has": {REFUSED},
    "test_eviction::test_a_mode_in_the_watchs_name_makes_no_phone_pair": {Kind.NOT_RECOGNISED},
    "test_invalid_points::test_as_ephemeral_key": {Kind.WEAK_POINT},
    "test_invalid_points::test_as_cpace_share": {Kind.WEAK_POINT},
    "test_invalid_points::test_as_static_key_of_somebody_who_knows_the_code": {REFUSED},
    "test_key_compromise::test_the_watchs_keys_do_not_make_a_phone_of_the_thief": {REFUSED, CUT_OFF},
    "test_key_compromise::test_two_watches_that_swap_answers_share_nothing_with_either_phone": {REFUSED},
    "test_key_negotiation::test_the_watchs_answer_of_another_session_is_no_answer": {Kind.REPLAY},
    "test_key_negotiation::test_neither_side_can_be_played_without_the_bonds_keys": {REFUSED},
    "test_key_negotiation::test_roles_cannot_be_switched": {CONVERSATION, Kind.REPLAY},
    "test_method_confusion::test_honest_ends_with_two_methods_do_not_pair": {REFUSED},
    "test_method_confusion::test_nor_with_a_man_in_the_middle_who_translates": {REFUSED, ALTERED, CONVERSATION},
    "test_online_guessing::test_a_window_takes_three_wrong_guesses_and_shows_another_code_after_each": {Kind.GUESSING},
    "test_online_guessing::test_a_man_in_the_middle_has_one_guess_a_side": {REFUSED},
    "test_online_guessing::test_junk_before_m3_costs_no_guess": {CUT_OFF, REFUSED, Kind.MALFORMED},
    "test_reflection::test_every_message_of_a_pairing_sent_back": {CONVERSATION, Kind.REPLAY, ALTERED, REFUSED},
    "test_reflection::test_the_phones_own_ephemeral_key": {Kind.REFLECTION},
    "test_reflection::test_the_phones_own_share": {Kind.REFLECTION},
    "test_relayed_pake::test_passing_the_shares_on_ends_at_m3": {REFUSED},
    "test_replayed_m1::test_a_replay_and_junk_are_answered_alike": {Kind.REPLAY},
    "test_replayed_m1::test_the_same_connection_takes_one_handshake": {Kind.REPLAY, CONVERSATION},
    "test_replayed_m1::test_m1_of_an_old_epoch_is_evidence_and_is_told_as_not_recognised": {Kind.NOT_RECOGNISED},
    "test_sas_grinding::test_another_nonce_than_the_committed_one_is_refused": {Kind.COMMITMENT},
    "test_secrets_in_print::test_no_error_prints_a_key_or_a_code": {ALTERED, REFUSED},
    "test_truncation::test_a_cut_is_never_an_end": {CUT_OFF},
    "test_truncation::test_a_close_cannot_be_moved_forward": {Kind.RECORD_MISSING},
}
"""By test: each of its cases shows at least one of these, and no other kind that is an attack or a weakness."""

SILENT: Final[dict[str, str]] = {
    "test_key_compromise::test_both_sides_know_the_same_session_or_none": "an honest reconnect",
    "test_key_negotiation::test_there_is_no_entropy_to_negotiate_away": "reads the declarations; nothing is sent",
    "test_key_negotiation::test_a_phone_that_repeats_itself_does_not_make_the_keys_repeat": (
        "each watch hears that phone once; two captures together would show one ephemeral key in both"
    ),
    "test_key_negotiation::test_session_keys_are_never_stored": "looks into the stores; the reconnect is honest",
    "test_killed::test_whoever_had_a_bond_has_one_that_works": "happens inside a machine: on the air a link is lost",
    "test_killed::test_nothing_was_written_by_halves": "happens inside a machine: on the air a link is lost",
    "test_linkability::test_bytes_are_the_same_for_all_watches_or_change_each_time": "a listener sends nothing",
    "test_linkability::test_a_guesser_who_compares_two_sessions_is_at_chance": "a listener sends nothing",
    "test_linkability::test_a_pairing_shows_nothing_of_the_watch_before_it_is_proven": "a prober's pairings are honest",
    "test_relayed_pake::test_control_with_the_code_the_same_man_in_the_middle_gets_through": (
        "who knows the code and has both sides' trust looks like each of them: each host hears a sound pairing"
    ),
    "test_sas_grinding::test_both_legs_complete_and_the_words_differ": (
        "both legs are sound pairings; what differs are the words on two screens, which no radio carries"
    ),
    "test_sas_grinding::test_control_without_the_commitment_the_search_succeeds": "a search on paper; nothing is sent",
    "test_sas_grinding::test_with_the_commitment_no_search_helps": "a search on paper; nothing is sent",
    "test_secrets_in_print::test_no_object_prints_a_key_or_a_code": "reads what is printed; the sessions are honest",
    "test_secrets_in_print::test_control_the_search_finds_what_is_printed": "reads what is printed",
    "test_truncation::test_control_nothing_cut_is_an_end": "the control: the session ends as it should",
}
"""By test: why no capture can show an attack; none is found, nor a weakness."""

NOT_READ: Final[dict[str, str]] = {
    "test_nonce_reuse::test_random_schedules_never_repeat_a_nonce": (
        "honest sessions that rekey after 8 records instead of the protocol's number, which a listener cannot know"
    )
}
"""By test: why its captures say nothing about the analysis."""

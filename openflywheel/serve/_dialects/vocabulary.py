"""Words that both dialects have: why an answer ended, and what it cost."""

from typing import Any

from msgspec import Struct

FINISH_REASONS = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
STOP_REASONS = {
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


class ThinkingTokens(Struct):
    """How Anthropic splits the output."""

    thinking_tokens: int | None = None


class MessagesUsage(Struct):
    """Tokens as Anthropic counts them: input_tokens leaves out what was read from or written to the cache."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens_details: ThinkingTokens | None = None

    def update(self, later: "MessagesUsage") -> None:
        """Take over what a later event of the stream says: its counts are cumulative."""
        for field in self.__struct_fields__:
            if (value := getattr(later, field)) is not None:
                setattr(self, field, value)


class PromptDetails(Struct):
    """How OpenAI splits the input."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class CompletionDetails(Struct):
    """How OpenAI splits the output."""

    reasoning_tokens: int | None = None


class ChatUsage(Struct):
    """Tokens as OpenAI counts them: prompt_tokens holds the cached ones too."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


def finish_reason(stop_reason: str | None) -> str:
    """Anthropic's stop_reason in OpenAI's words; end_turn, stop_sequence, pause_turn, new ones: `stop`."""
    return FINISH_REASONS.get(stop_reason or "", "stop")


def stop_reason(finish: str | None, *, called: bool, refused: bool) -> str:
    """OpenAI's finish_reason in Anthropic's words.

    A call that the client named in tool_choice ends with `stop` at OpenAI: what the answer holds counts then.
    """
    ended = STOP_REASONS.get(finish or "", "end_turn")
    if ended != "end_turn":
        return ended
    return "tool_use" if called else "refusal" if refused else "end_turn"


def chat_usage(usage: MessagesUsage) -> dict[str, Any]:
    """Anthropic's counts as OpenAI writes them."""
    written, cached = usage.cache_creation_input_tokens or 0, usage.cache_read_input_tokens or 0
    prompt, completion = (usage.input_tokens or 0) + written + cached, usage.output_tokens or 0
    out: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
    }
    details = usage.output_tokens_details
    if details and details.thinking_tokens is not None:
        out["completion_tokens_details"] = {"reasoning_tokens": details.thinking_tokens}
    return out


def messages_usage(usage: ChatUsage | None) -> dict[str, Any]:
    """OpenAI's counts as Anthropic writes them; zeros when a provider counts nothing."""
    usage = usage or ChatUsage()
    split = usage.prompt_tokens_details or PromptDetails()
    written, cached = split.cache_write_tokens or 0, split.cached_tokens or 0
    out: dict[str, Any] = {
        "input_tokens": max(0, (usage.prompt_tokens or 0) - written - cached),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.completion_tokens or 0,
    }
    details = usage.completion_tokens_details
    if details and details.reasoning_tokens is not None:
        out["output_tokens_details"] = {"thinking_tokens": details.reasoning_tokens}
    return out

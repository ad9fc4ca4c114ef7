"""From chats to tokens and from answers to tokens, as a checkpoint's chat template has them."""

from typing import Any

from openflywheel.base.errors import StoreError
from openflywheel.base.instruments.answers import Chat
from openflywheel.base.instruments.special import special, without

PROBE = [{"role": "user", "content": "?"}]


class Template:
    """Writes prompts by a tokenizer's chat template, with an instruction for chats that bring none.

    Raises StoreError when the tokenizer has no template.
    """

    def __init__(self, tokenizer: Any, instruction: str = "") -> None:
        if not tokenizer.chat_template:
            raise StoreError(
                f"the tokenizer in {tokenizer.name_or_path} has no chat template; "
                "write one into chat_template.jinja beside it"
            )
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        self._tokenizer, self._instruction = tokenizer, instruction
        self._special = special(t.content for t in tokenizer.added_tokens_decoder.values() if t.special)

    def prompt(self, chat: Chat, room: int) -> list[int]:
        """The tokens of a chat up to where the answer begins; the last `room` of them.

        What looks like a special token is taken out of a message: none can end itself, or begin another.
        """
        plain = [{**message, "content": without(message["content"], self._special)} for message in chat]
        return self._tokens(self._rendered(plain, add_generation_prompt=True))[-room:]

    def answer(self, text: str) -> list[int]:
        """The tokens of an answer, with those that end it."""
        before = self._rendered(PROBE, add_generation_prompt=True)
        whole = self._rendered([*PROBE, {"role": "assistant", "content": text}])
        if whole.startswith(before):
            return self._tokens(whole.removeprefix(before))
        # Templates that put thoughts before a past answer: then the bare text counts.
        return self._tokens(text + str(self._tokenizer.eos_token))

    def _rendered(self, chat: Chat, **how: bool) -> str:
        bare = not self._instruction or any(message["role"] == "system" for message in chat)
        first = [] if bare else [{"role": "system", "content": self._instruction}]
        text: str = self._tokenizer.apply_chat_template([*first, *chat], tokenize=False, **how)
        return text

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

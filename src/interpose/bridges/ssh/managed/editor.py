"""The line editor of a managed shell on a client's terminal: prompt_toolkit on a channel, with what could leave the line taken out."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Final, TextIO, cast

from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.data_structures import Size
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import History
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output

from interpose.analysis.shell.lines import goes_on
from interpose.bridges.ssh.managed.keys import LONGEST, ChannelInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.completion import CompleteEvent

_MOST_LINES: Final = 1000
_MOST_HISTORY: Final = 256 * 1024
_MOST_UNDO: Final = 20
_LONE_LINE_FEED: Final = re.compile(r"(?<!\r)\n")


class InterruptedLine(Exception):  # noqa: N818 - what happened
    """Ctrl-C: the line is given up."""


class _Writer:
    """What the library's output writes to."""

    encoding = "utf-8"

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def write(self, text: str) -> int:
        self._write(_LONE_LINE_FEED.sub("\r\n", text).encode("utf-8", "replace"))
        return len(text)

    def flush(self) -> None:
        return

    def isatty(self) -> bool:
        return True


class BoundedHistory(History):
    """The last lines of one shell, in memory."""

    def __init__(self) -> None:
        """Empty."""
        super().__init__()
        self.lines: deque[str] = deque(maxlen=_MOST_LINES)
        self._size = 0

    def load_history_strings(self) -> Iterable[str]:
        """Newest first."""
        return list(reversed(self.lines))

    def store_string(self, string: str) -> None:
        """One more line; the oldest go when it is too much."""
        if len(self.lines) == _MOST_LINES:
            self._size -= len(self.lines.popleft())
        self.lines.append(string)
        self._size += len(string)
        while self._size > _MOST_HISTORY:
            self._size -= len(self.lines.popleft())
        # The library keeps a list of its own, newest first.
        del self._loaded_strings[len(self.lines) :]


class _Words(Completer):
    def __init__(self, words: Callable[[], Sequence[str]]) -> None:
        self._words = words

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Words for the first place of the line; what stands behind it would need the host."""
        before = document.text_before_cursor
        if not before.strip() or " " in before or "\n" in before:
            return
        for word in self._words():
            if word.startswith(before):
                yield Completion(word + " ", start_position=-len(before))


class Editor:
    """Reads lines at a terminal."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        took: Callable[[bytes], None],
        size: Callable[[], tuple[int, int]],
        term: str,
        words: Callable[[], Sequence[str]],
    ) -> None:
        """`size` is columns and rows; `words` are what the first word of a line may be completed to; `took` hears what is read as keys."""
        self.input = ChannelInput(took)
        self.history = BoundedHistory()
        self._write = write
        writer = cast("TextIO", _Writer(write))
        output = Vt100_Output(
            writer,
            lambda: Size(rows=max(2, min(size()[1] or 24, 500)), columns=max(20, min(size()[0] or 80, 1000))),
            term=term,
            default_color_depth=ColorDepth.DEPTH_1_BIT,
            enable_bell=False,
            enable_cpr=False,
        )
        self._output = output
        with create_app_session(input=self.input, output=output):
            self._prompts: PromptSession[str] = PromptSession(
                input=self.input,
                output=output,
                history=self.history,
                completer=_Words(words),
                complete_while_typing=False,
                reserve_space_for_menu=4,
                multiline=Condition(self._goes_on),
                prompt_continuation="> ",
                enable_system_prompt=False,
                enable_suspend=False,
                enable_open_in_editor=False,
                mouse_support=False,
                interrupt_exception=InterruptedLine,
            )
        app = self._prompts.app
        app.terminal_size_polling_interval = None
        self.input.line_is_over = lambda: app.is_done
        self._prompts.default_buffer.on_text_changed += self._bound

    async def read(self, prompt: str) -> str | None:
        """One line, or several that belong together; None at the end. Raises `InterruptedLine`."""
        with create_app_session(input=self.input, output=self._output):
            try:
                return await self._prompts.prompt_async(prompt, set_exception_handler=False, handle_sigint=False)
            except EOFError:
                return None
            finally:
                clear_typeahead(self.input)

    def say(self, line: bytes) -> None:
        """Show a line above the one that is being edited."""
        app = self._prompts.app
        if app.is_running:
            app.renderer.erase()
            self._write(line)
            app.invalidate()
        else:
            self._write(line)

    def resized(self) -> None:
        """The terminal has another size."""
        app = self._prompts.app
        if app.is_running:
            app.renderer.erase()
            app.invalidate()

    def _goes_on(self) -> bool:
        return goes_on(self._prompts.default_buffer.text)

    def _bound(self, buffer: Buffer) -> None:
        # Each step that could be undone is a copy of the line.
        del buffer._undo_stack[:-_MOST_UNDO]
        if len(buffer.text) > LONGEST:
            buffer.document = Document(buffer.text[:LONGEST])

"""The words of the server-rendered pages, in the languages we speak."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Texts:
    """One language."""

    language: str
    photos: str
    no_photos: str
    download: str
    kept_until: str
    newest_first: str
    running: str
    galleries: str
    for_operators: str
    admin: str
    api: str
    health: str
    not_shared: str
    shared: str
    not_built: str


_ENGLISH: Final = Texts(
    language="en",
    photos="Your photos",
    no_photos="No photos here yet. Step in front of the camera!",
    download="Download",
    kept_until="Kept until",
    newest_first="Newest first. Tap a photo to save it.",
    running="The platform is running. Cameras post photos to its slots; guests find them in the galleries.",
    galleries="Galleries",
    for_operators="For operators",
    admin="Slots, jobs, statistics and settings (sign-in)",
    api="API description",
    health="Health",
    shared="Open while the studio shares them",
    not_shared="The galleries are closed right now. Ask the studio to share them.",
    not_built="The admins' pages have not been built on this machine. Run this in the checkout, then restart:",
)
_RUSSIAN: Final = Texts(
    language="ru",
    photos="Ваши фотографии",
    no_photos="Здесь пока нет фотографий. Встаньте перед камерой!",
    download="Скачать",
    kept_until="Хранится до",
    newest_first="Сначала новые. Нажмите на фотографию, чтобы сохранить её.",
    running="Платформа работает. Камеры отправляют фотографии в слоты, гости находят их в галереях.",
    galleries="Галереи",
    for_operators="Операторам",
    admin="Слоты, задания, статистика и настройки (вход)",
    api="Описание API",
    health="Состояние",
    shared="Открыты, пока студия ими делится",
    not_shared="Галереи сейчас закрыты. Попросите студию открыть к ним доступ.",
    not_built="Страницы администратора на этой машине не собраны. Выполните в каталоге проекта и перезапустите:",
)
_BY_LANGUAGE: Final = {"en": _ENGLISH, "ru": _RUSSIAN}


def texts_for(accept_language: str) -> Texts:
    """The best language for an `Accept-Language` header, English by default."""
    wanted = []
    for item in accept_language[:200].split(","):
        tag, _, parameters = item.strip().partition(";")
        quality = parameters.strip().removeprefix("q=") if parameters else "1"
        try:
            weight = float(quality)
        except ValueError:
            weight = 0.0
        wanted.append((weight, tag.partition("-")[0].lower()))
    for _, language in sorted(wanted, key=lambda pair: -pair[0]):
        if language in _BY_LANGUAGE:
            return _BY_LANGUAGE[language]
    return _ENGLISH

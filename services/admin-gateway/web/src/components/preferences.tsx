import { Menu, useMantineColorScheme } from "@mantine/core";
import { IconCheck, IconDeviceDesktop, IconMoon, IconSun } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { switchLanguage } from "@/i18n";
import { LANGUAGE_NAMES, LANGUAGES } from "@/i18n/languages";

const SCHEMES = [
  { scheme: "light", icon: IconSun },
  { scheme: "dark", icon: IconMoon },
  { scheme: "auto", icon: IconDeviceDesktop },
] as const;

/** The languages, as items of a menu. */
export function LanguageItems() {
  const { i18n } = useTranslation();
  return LANGUAGES.map((language) => (
    <Choice
      key={language}
      chosen={i18n.language === language}
      lang={language}
      onChoose={() => switchLanguage(language)}
    >
      {LANGUAGE_NAMES[language]}
    </Choice>
  ));
}

/** Light and dark, as items of a menu. */
export function SchemeItems() {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return SCHEMES.map(({ scheme, icon: Icon }) => (
    <Choice
      key={scheme}
      chosen={colorScheme === scheme}
      icon={<Icon size={18} aria-hidden />}
      onChoose={() => setColorScheme(scheme)}
    >
      {t(`scheme.${scheme}`)}
    </Choice>
  ));
}

interface ChoiceProps {
  chosen: boolean;
  icon?: ReactNode;
  lang?: string;
  onChoose: () => void;
  children: ReactNode;
}

function Choice({ chosen, icon, lang, onChoose, children }: ChoiceProps) {
  return (
    <Menu.Item
      role="menuitemradio"
      aria-checked={chosen}
      lang={lang}
      leftSection={icon}
      rightSection={chosen ? <IconCheck size={16} aria-hidden /> : null}
      closeMenuOnClick={false}
      onClick={onChoose}
    >
      {children}
    </Menu.Item>
  );
}

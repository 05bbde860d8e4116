"""The 1,024 English words that two screens show to be compared: ten bits each. Their order is part of the protocol.

Each has four to seven lower-case letters, so that three of them and two spaces fit a line of 24. The first four letters
of any two differ, and so do at least two letters in all: a word is not taken for another one after a hurried look. No
two sound the same, spoken with every r as in the United States or without those that are silent in England.
"""

from __future__ import annotations

from typing import Final

WORD_BITS: Final = 10

_LINES: Final = """
    absent accent acid active adjust admiral adopt adult advance advice afford agent airline airport alarm album alert
    allow almost already alumni always amateur amber amount anatomy ancient angle animal annual answer anthem antique
    anybody apart apology appeal apply april area argue arrive arsenal article aside aspect asset assist athlete attempt
    attract auction audio author autumn avenue awake award awesome awkward axis bacon badge balance balloon banana
    banner bargain barn basin basket battery become bedroom before begin behave behind believe belong bench beneath
    beyond bicycle biology black blade blanket blast blend bless blunt boat bonus boots bottom bounce branch brave
    breath bridge brief brigade bring broad broken bronze brother brush bubble bucket budget buffalo bulk bundle burst
    busy button buyer cabinet camera campus canal candy canyon captain carbon career cargo carpet cartoon caution cement
    central chair chamber change chapter chart cheese cherry chief choice chorus chrome cinema circle citizen civil
    claim clear clever client climate clinic clock closet cloth clown cluster coach coast coconut college column combine
    comedy comfort common complex concept confirm connect consult control cookie copper copy corner correct costume
    cotton country couple courage cousin cover create credit cricket critic crowd crucial culture curious current
    curtain curve custom cycle dance darling dawn debate debut decent decide defend degree deliver delta dentist deputy
    deserve design desk despite detail detect develop diamond diary diesel digital dignity dinner direct dishes display
    divide dollar donate double dozen dragon dream drink drone drop drum dust duty eager eagle earth easily eastern easy
    edge editor effort either elder elegant element eleven else embassy embrace emerge employ endless energy enforce
    engage engine enhance enjoy enough enter entire entry epic episode equal error escape escort essay eternal event
    evident exact example exceed excuse exhibit exit expand expect explain export express extend fabric face factory
    faculty faith family famous fancy farmer fashion fast feature federal felt fence fiction field fierce fifty figure
    filling film filter final flash flat flavor fleet flight flip flood fluid focus forget fork format fortune forum
    fossil foster found frame free freight fresh friend frog frost frozen fruit fuel funny future gain galaxy gallery
    garage garden garlic general genius gentle genuine gesture giant gift give glad glance globe glory goal golden
    gossip grab grace granite graphic gravity grid ground growth guess guide guitar gulf habit half handful happy hard
    harmony harsh harvest healthy heaven hello help hidden highway hill hint history hockey hollow hope horizon hotel
    huge human humble hungry hurry hybrid idea ignore image immense impact improve inch include income index indoor
    inform initial input insert inspire instant intend into invite involve iron island issue item itself jacket jazz
    join joke journal judge juice jump jungle jury keep kick kind kingdom kitchen label ladder lamp landing laptop large
    late laugh launch lawyer layout lazy leader league leap learn leather lecture left legacy legend leisure letter
    level liberty library like limit liquid lobby local locker lodge logic logo long look loud lounge love loyalty
    luxury machine magic majesty major make manage mandate mansion manual many maple marble march margin market marvel
    mason matrix maximum maybe meaning measure media member memory mental menu mercury merit message method metro middle
    milk million mineral minus miracle mirror mission model module moment money monitor monster month mood most mother
    motion motor mouse movie much museum mutual myself mystery myth nail narrow nation nature nearby needle nephew nerve
    network neutral never news nine noble nobody normal north notable nothing notice novel number nurse object observe
    obtain obvious occur ocean offer office offset often olive once open opera opinion oppose option orbit order organ
    origin outdoor outfit outline output outside oval overall oxygen pacific painter panel paper parade parent partner
    pass pasta path patient patrol pattern payment peanut penalty pencil pension people pepper perfect period permit
    phoenix phone photo phrase physics piano picture pillow pink pioneer pipe pizza plan plastic player plaza pledge
    plenty plot plus pocket poem police pond popular portion possess potato power precise predict prefer present pretty
    primary print private prize problem process product profile project promise proof proper protein proud provide
    public pull pulse puppy pure purpose pursue push puzzle quality quarter quest quiet rabbit radar radio railway
    rainbow rally random range rapid rare rather reach realm rebuild recall receive recipe record reduce referee reflect
    reform refuge region regret regular reject relax release relief rely remain remind remove repair repeat replace
    report require rescue resist respond restore result retire return reunion reveal review reward rhythm ritual rival
    river robot romance routine royal rubber ruby rule runner runway rural saga salad salmon same satisfy scale scan
    school science score scout scratch screen script search season seat second secret section segment select self
    senator sequel serious service session seven shadow shallow shape shark shelter sheriff shield shift short sierra
    signal silence silicon silver similar simple since singer sixty sketch skill skip skirt sleep slide slope slow small
    smile smooth snack snap soccer social soft solid solve someone soon soup source south space speak special speed
    spell sphere spin spirit split spoke sponsor spray spread square stadium stamp stand start state stay steady stock
    stone stop storm stream strong student subject subtle subway success sudden sugar suggest suit summit sunset superb
    support supreme surface surgeon surplus survey sustain swim switch system table tackle talent talk target taste taxi
    teacher team teddy temple tender tennis terrain text that then thermal thesis think third thought three throw thumb
    thunder ticket tiny tired title today tooth topic toss total touch tourist toward towel trade traffic train travel
    treat trend trial tribute trick trigger trim triumph trophy true trust truth tube tunnel turn turtle tweet twelve
    twenty twice twin twist type typical ultra unable unaware uncle under uniform union unique unit unknown unlock until
    unusual update upgrade upon upper upset urban usage useful usual utility vacuum valid value various vault vector
    vehicle venture verdict verify version vessel veteran viable victory video village vintage vinyl virtue visa visit
    visual vital voice void volume voter voyage wagon wallet want warm watch water wealth wedding weekend west wheat
    whereas whistle width window wing winter wire wisdom wish witness wizard wonder wool word worker worry wrist yearly
    yellow yoga zero zone
"""
WORDS: Final[tuple[str, ...]] = tuple(_LINES.split())
